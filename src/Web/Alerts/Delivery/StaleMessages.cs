using System.Collections.Immutable;

namespace FailoverHub.Web.Alerts.Delivery;

/// <summary>
/// What has waited so long that it is not told as it was decided: the channel was off, did not answer, or had more than it takes. Pure. Of an alert that is over only the end is left, which names its
/// beginning; of one that goes on its beginning and who has taken it on. What is left is written anew when it leaves (<see cref="Refreshed"/>).
/// </summary>
internal static class StaleMessages
{
    /// <summary>A message that is older says what was, not what is.</summary>
    public static readonly TimeSpan After = TimeSpan.FromMinutes(10);

    /// <summary>An end that is older, of a beginning that nobody was told, is nobody's news.</summary>
    public static readonly TimeSpan ForgottenAfter = TimeSpan.FromHours(24);

    /// <summary>Ids of messages that are not sent any more.</summary>
    /// <param name="waiting">What waits for one channel, in the order in which it leaves.</param>
    /// <param name="now">When.</param>
    public static ImmutableArray<long> Of(ImmutableArray<WaitingMessage> waiting, DateTimeOffset now) =>
    [
        .. waiting.Where(m => !m.IsSummary && m.Alerts.Length == 1).GroupBy(m => m.Alerts[0]).Where(g => now - g.First().CreatedAt >= After)
            .SelectMany(g => Superseded([.. g], now)),
    ];

    /// <summary>What is told in place of something that was decided long ago.</summary>
    public static AlertMessage Refreshed(AlertMessage message, Alert alert, DateTimeOffset now) => message.Kind switch
    {
        AlertNoticeKind.Resolved => message,
        _ when alert.ResolvedAt is not null => AlertMessage.Of(alert, AlertNoticeKind.Resolved, now),
        AlertNoticeKind.Acknowledged when alert.Acknowledged is null => AlertMessage.Of(alert, AlertNoticeKind.Unacknowledged, now),
        _ => AlertMessage.Of(alert, message.Kind, now),
    };

    private static IEnumerable<long> Superseded(ImmutableArray<WaitingMessage> chain, DateTimeOffset now)
    {
        WaitingMessage last = chain[^1];
        if (last.Kind == AlertNoticeKind.Resolved)
        {
            bool isForgotten = now - last.CreatedAt >= ForgottenAfter && chain[0].Kind == AlertNoticeKind.Raised && chain.All(m => m.Attempts == 0);
            return chain.Where(m => m != last || isForgotten).Select(m => m.Id);
        }

        WaitingMessage? beginning = chain.FirstOrDefault(m => m.Kind == AlertNoticeKind.Raised);
        WaitingMessage? taken = chain.LastOrDefault(m => m.Kind is AlertNoticeKind.Acknowledged or AlertNoticeKind.Unacknowledged) is { Kind: AlertNoticeKind.Acknowledged } one ? one : null;
        WaitingMessage? still = beginning is null && taken is null ? last : null;
        return chain.Where(m => m != beginning && m != taken && m != still).Select(m => m.Id);
    }
}
