using FailoverHub.Web.Alerts.Delivery;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>A message on its way out.</summary>
/// <param name="Id">The same at each attempt, so that a receiver can tell a repetition.</param>
/// <param name="Message">What it says.</param>
internal sealed record OutgoingMessage(long Id, AlertMessage Message);

/// <summary>How an attempt went.</summary>
/// <param name="Answer">What was answered, short; null: nothing.</param>
/// <param name="Error">Why it did not work, without anything secret; null: it did.</param>
/// <param name="IsOfChannel">Any other message would have fared the same: the channel is left alone for a while.</param>
internal sealed record SendResult(string? Answer, string? Error, bool IsOfChannel)
{
    public static SendResult Took(string answer) => new(answer, null, false);

    /// <summary>Nobody answered.</summary>
    public static SendResult Unreachable(string why) => new(null, why, true);
}

/// <summary>One way to send. Does I/O and decides nothing but how its message looks.</summary>
internal interface IAlertSender
{
    /// <summary>Which channels it serves.</summary>
    AlertChannelType Type { get; }

    /// <summary>Sends one message, once. Every fault of the network or the receiver is a result.</summary>
    /// <param name="channel">Where to.</param>
    /// <param name="secret">What is secret of it, open.</param>
    /// <param name="outgoing">What.</param>
    /// <param name="cancellationToken">Stops it: the hub stops, or it took too long.</param>
    Task<SendResult> SendAsync(AlertChannel channel, ChannelSecret secret, OutgoingMessage outgoing, CancellationToken cancellationToken);
}
