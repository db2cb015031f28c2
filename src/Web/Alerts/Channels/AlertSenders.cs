using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Delivery;

namespace FailoverHub.Web.Alerts.Channels;

/// <summary>Sends by the way that a channel has, with its secret, and within a time.</summary>
internal sealed class AlertSenders(IEnumerable<IAlertSender> senders, ChannelSecrets secrets, AlertLinks links, TimeProvider time)
{
    /// <summary>Of one attempt, from the name's look-up to the answer.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly ImmutableDictionary<AlertChannelType, IAlertSender> _byType = senders.ToImmutableDictionary(s => s.Type);

    /// <summary>Sends one message, once.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; whether it was sent is not known.</exception>
    public async Task<SendResult> SendAsync(AlertChannel channel, OutgoingMessage outgoing, CancellationToken cancellationToken)
    {
        ChannelSecret? secret = channel.HasSecret ? await secrets.OpenAsync(channel.Id, cancellationToken) : ChannelSecret.None;
        if (secret is null)
        {
            return SendResult.Unreachable("Its secret cannot be read: the hub's keys are not those that it was kept with. Give the channel its secret again");
        }

        using var tooLong = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, tooLong.Token);
        try
        {
            return await _byType[channel.Type].SendAsync(channel, secret, outgoing with { Message = links.Into(outgoing.Message) }, either.Token);
        }
        catch (OperationCanceledException) when (tooLong.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return SendResult.Unreachable($"It did not answer within {Timeout.TotalSeconds:0} s");
        }
    }
}
