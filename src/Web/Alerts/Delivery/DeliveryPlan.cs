using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Alerts.Delivery;

/// <summary>A message that waits, without what it says.</summary>
internal sealed record WaitingMessage(long Id, string ChannelId, AlertNoticeKind Kind, EventSeverity Severity, DateTimeOffset CreatedAt, DateTimeOffset DueAt, int Attempts)
{
    /// <summary>Ids of the alerts that it is about: of a summary all of them.</summary>
    public ImmutableArray<string> Alerts { get; init; } = [];

    /// <summary>Its place among the messages of its alerts: its id, of a summary that of the oldest message in it.</summary>
    public long Order { get; init; } = Id;

    public bool IsSummary => Kind == AlertNoticeKind.Summary;
}

/// <summary>How a channel has been lately.</summary>
/// <param name="Tried">When messages were tried within the last minute, oldest first; of summaries too.</param>
/// <param name="PausedUntil">It did not answer: nothing is tried before.</param>
internal sealed record ChannelTraffic(ImmutableArray<DateTimeOffset> Tried, DateTimeOffset? PausedUntil)
{
    public static ChannelTraffic None { get; } = new([], null);
}

/// <summary>What is done next for one channel.</summary>
internal abstract record DeliveryStep
{
    /// <summary>That message is sent.</summary>
    public sealed record Send(long Id) : DeliveryStep;

    /// <summary>One message is made of these.</summary>
    public sealed record Summarise(ImmutableArray<long> Ids) : DeliveryStep;

    /// <summary>These are not sent: they are too old, and what waits behind them says what is so now.</summary>
    public sealed record Expire(ImmutableArray<long> Ids) : DeliveryStep;

    /// <summary>Nothing before that moment; null: nothing until something new waits.</summary>
    public sealed record Wait(DateTimeOffset? Until) : DeliveryStep;
}

/// <summary>
/// Which message leaves next, pure. Of one alert they leave in their order. Within a minute a channel gets as many as it takes, and where more wait one further message
/// that tells of all of them; a pager, whose every incident has to be opened and closed by itself, gets them one after the other instead.
/// </summary>
internal static class DeliveryPlan
{
    /// <summary>So many messages go into a summary; more into the next one.</summary>
    public const int MostInSummary = 100;

    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>From a second to five minutes, doubling.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    public static DeliveryStep Next(AlertChannel channel, ImmutableArray<WaitingMessage> waiting, ChannelTraffic traffic, DateTimeOffset now)
    {
        if (waiting.IsEmpty)
        {
            return new DeliveryStep.Wait(null);
        }

        if (traffic.PausedUntil is { } paused && paused > now)
        {
            return new DeliveryStep.Wait(paused);
        }

        ImmutableArray<WaitingMessage> inOrder = [.. waiting.OrderBy(m => m.Order)];
        if (StaleMessages.Of(inOrder, now) is { IsEmpty: false } old)
        {
            return new DeliveryStep.Expire(old);
        }

        ImmutableArray<DateTimeOffset> tried = [.. traffic.Tried.Where(t => now - t < Window)];

        ImmutableArray<WaitingMessage> turn = Foremost(inOrder);
        WaitingMessage? next = turn.Where(m => IsDue(m, now)).OrderByDescending(m => m.IsSummary).ThenByDescending(m => m.Severity).ThenBy(m => m.Id).FirstOrDefault();
        bool summarises = channel.Type != AlertChannelType.PagerDuty;

        // The one message more is kept for a summary.
        if (next is not null && tried.Length < channel.MostPerMinute + (next.IsSummary ? 1 : 0))
        {
            return new DeliveryStep.Send(next.Id);
        }

        if (next is not null && summarises && !next.IsSummary && tried.Length == channel.MostPerMinute)
        {
            ImmutableArray<long> rest = Together(inOrder);
            if (rest.Length > 1 && !waiting.Any(m => m.IsSummary))
            {
                return new DeliveryStep.Summarise(rest);
            }
        }

        DateTimeOffset? room = next is null ? null : tried[^Math.Min(tried.Length, channel.MostPerMinute + (next.IsSummary ? 1 : 0))] + Window;
        DateTimeOffset? due = next is null ? turn.Min(m => m.DueAt) : null;
        return new DeliveryStep.Wait(room ?? due);
    }

    /// <summary>What a summary that was refused falls into: two halves, of one alert its single messages.</summary>
    /// <param name="members">The messages in it, in their order, each with its alert.</param>
    public static ImmutableArray<ImmutableArray<long>> Parts(IEnumerable<(long Id, string? Alert)> members)
    {
        ImmutableArray<long>[] alerts = [.. members.GroupBy(m => m.Alert).Select(g => g.Select(m => m.Id).ToImmutableArray())];
        return alerts is [var one] ? [.. one.Select(id => ImmutableArray.Create(id))] : [.. alerts.Chunk(Math.Max(1, (alerts.Length + 1) / 2)).Select(half => half.SelectMany(ids => ids).ToImmutableArray())];
    }

    /// <summary>How long to wait after the so-manieth failure: doubling, with a fifth of chance so that many hubs or channels do not come at once.</summary>
    /// <param name="failures">1 and up.</param>
    /// <param name="chance">0 to 1.</param>
    public static TimeSpan PauseAfter(int failures, double chance)
    {
        double seconds = Math.Min(LongestPause.TotalSeconds, Math.Pow(2, Math.Min(failures, 20) - 1));
        return TimeSpan.FromSeconds(seconds * (0.8 + (0.4 * chance)));
    }

    // Nobody pauses for longer than that: what is due later was stored by a clock that was set back since.
    private static bool IsDue(WaitingMessage message, DateTimeOffset now) => message.DueAt <= now || message.DueAt - now > PauseAfter(int.MaxValue, 1);

    /// <summary>Those that nothing about the same alert stands before, neither by itself nor in a summary: an end must not come before its beginning, whatever became of that.</summary>
    private static ImmutableArray<WaitingMessage> Foremost(ImmutableArray<WaitingMessage> inOrder)
    {
        var behind = new HashSet<string>();
        var foremost = ImmutableArray.CreateBuilder<WaitingMessage>();
        foreach (WaitingMessage message in inOrder)
        {
            bool waitsForAnother = message.Alerts.Any(behind.Contains);
            behind.UnionWith(message.Alerts);
            if (!waitsForAnother)
            {
                foremost.Add(message);
            }
        }

        return foremost.ToImmutable();
    }

    /// <summary>What goes into one summary: all that waits of an alert or nothing of it, so that no end is left outside with a lower number.</summary>
    private static ImmutableArray<long> Together(ImmutableArray<WaitingMessage> inOrder)
    {
        var together = ImmutableArray.CreateBuilder<long>();
        foreach (IGrouping<string, WaitingMessage> alert in inOrder.GroupBy(m => m.Alerts is [var one] ? one : m.Id.ToString(CultureInfo.InvariantCulture)))
        {
            if (alert.All(m => m is { IsSummary: false, Attempts: 0 }) && (together.Count == 0 || together.Count + alert.Count() <= MostInSummary))
            {
                together.AddRange(alert.Select(m => m.Id));
            }
        }

        return together.ToImmutable();
    }
}
