using System.Collections.Immutable;
using System.Globalization;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Delivery;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Alerts.Direct;

/// <summary>How it stands with the disk, and whom its rule tells.</summary>
/// <param name="CannotWrite">The hub cannot write its history.</param>
/// <param name="CannotStore">Alerts cannot be written either, so that no message of theirs can be.</param>
/// <param name="Rule">The rule of kind hub-storage; null: there is none that is on.</param>
/// <param name="Channels">Ids of the channels that it tells.</param>
internal sealed record DirectFacts(bool CannotWrite, bool CannotStore, AlertRule? Rule, ImmutableArray<string> Channels);

/// <summary>A message that is sent from memory.</summary>
internal sealed record DirectMessage(string Channel, OutgoingMessage Outgoing);

/// <summary>
/// When people are told from memory that the hub cannot write, and when that it can again: the one alert whose messages cannot wait in the database. Pure but for what it remembers. A channel is told of a beginning at
/// most every ten minutes, however often the disk comes and goes, and of an end only if it took the beginning.
/// </summary>
internal sealed class DirectTelling
{
    /// <summary>From one beginning to the next.</summary>
    public static readonly TimeSpan BeginningsAtMostEvery = TimeSpan.FromMinutes(10);

    /// <summary>So often an end is tried: it says nothing that people would have to act on.</summary>
    public const int EndsTried = 10;

    private readonly Dictionary<string, Listener> _listeners = [];
    private TimeSpan? _failingSince;
    private TimeSpan? _goodSince;
    private Alert? _alert;

    /// <summary>Id of the rule that people are told of; null: of none.</summary>
    public string? RuleId => _alert?.Key.RuleId;

    /// <summary>Messages to be sent now. Of each <see cref="Took"/> or <see cref="Failed"/> has to be called; until then its channel gets no other.</summary>
    public ImmutableArray<DirectMessage> Look(DirectFacts facts, Moment now)
    {
        Watch(facts, now);
        if (_alert is not { } alert)
        {
            return [];
        }

        bool isOver = facts.Rule is null || (_goodSince is { } good && now.Uptime - good >= facts.Rule.ResolveAfter);
        if (isOver && _listeners.Values.All(l => l is { IsTold: false, IsBusy: false }))
        {
            (_alert, _failingSince) = (null, null);
            return [];
        }

        var messages = ImmutableArray.CreateBuilder<DirectMessage>();
        foreach (string channel in isOver ? [.. _listeners.Keys] : facts.Channels)
        {
            if (!_listeners.TryGetValue(channel, out Listener? listener))
            {
                _listeners[channel] = listener = new Listener();
            }

            if (!listener.IsBusy && now.Uptime >= listener.DueAt && Due(listener, isOver, facts, now.Uptime) is { } kind)
            {
                listener.IsBusy = true;
                Alert told = kind == AlertNoticeKind.Resolved ? alert with { ResolvedAt = now.Wall, ResolvedText = "The hub can write again. What waited in memory is written." } : alert;
                messages.Add(new DirectMessage(channel, new OutgoingMessage(-alert.RaisedAt.ToUnixTimeMilliseconds(), AlertMessage.Of(told, kind, now.Wall))));
            }
        }

        return messages.ToImmutable();
    }

    /// <summary>The channel took it.</summary>
    public void Took(string channel, AlertNoticeKind kind, TimeSpan uptime)
    {
        Listener listener = _listeners[channel];
        (listener.IsBusy, listener.Failures, listener.DueAt) = (false, 0, uptime);
        listener.IsTold = kind != AlertNoticeKind.Resolved;
        listener.ToldAt = kind == AlertNoticeKind.Resolved ? listener.ToldAt : uptime;
        if (kind == AlertNoticeKind.Raised)
        {
            listener.BeganAt = uptime;
        }
    }

    /// <summary>It did not.</summary>
    /// <param name="channel">Which.</param>
    /// <param name="kind">What it was told.</param>
    /// <param name="uptime">When.</param>
    /// <param name="chance">0 to 1, see <see cref="DeliveryPlan.PauseAfter"/>.</param>
    public void Failed(string channel, AlertNoticeKind kind, TimeSpan uptime, double chance)
    {
        Listener listener = _listeners[channel];
        listener.IsBusy = false;
        listener.DueAt = uptime + DeliveryPlan.PauseAfter(++listener.Failures, chance);
        if (kind == AlertNoticeKind.Resolved && listener.Failures >= EndsTried)
        {
            (listener.IsTold, listener.Failures) = (false, 0);
        }
    }

    private void Watch(DirectFacts facts, Moment now)
    {
        if (facts.CannotWrite)
        {
            _goodSince = null;
            _failingSince ??= now.Uptime;
            if (_alert is null && facts is { CannotStore: true, Rule: { } rule } && now.Uptime - _failingSince >= rule.RaiseAfter)
            {
                _alert = Raise(rule, now.Wall);
            }
        }
        else
        {
            _goodSince ??= now.Uptime;
            _failingSince = _alert is null ? null : _failingSince;
        }
    }

    private static AlertNoticeKind? Due(Listener listener, bool isOver, DirectFacts facts, TimeSpan uptime)
    {
        if (isOver)
        {
            return listener.IsTold ? AlertNoticeKind.Resolved : null;
        }

        // It may be about to be over: nobody is told of what is not so at this moment.
        if (!facts.CannotWrite)
        {
            return null;
        }

        return listener.IsTold ? facts.Rule?.RemindEvery is { } again && uptime - listener.ToldAt >= again ? AlertNoticeKind.Reminder : null
            : listener.BeganAt is { } began && uptime - began < BeginningsAtMostEvery ? null
            : AlertNoticeKind.Raised;
    }

    private static Alert Raise(AlertRule rule, DateTimeOffset at) => new()
    {
        Id = string.Create(CultureInfo.InvariantCulture, $"memory-{at.ToUnixTimeMilliseconds()}"),
        Key = new AlertKey(rule.Id, "hub"),
        Kind = rule.Kind,
        RuleName = rule.Name,
        Severity = rule.Severity,
        About = "the hub",
        Text = "The hub cannot write its database: history waits in memory, no operation is accepted, and no other alert is told until it can. Nodes and addresses go on. This message comes from the hub's memory.",
        RaisedAt = at,
    };

    private sealed class Listener
    {
        public bool IsTold { get; set; }

        public bool IsBusy { get; set; }

        public int Failures { get; set; }

        public TimeSpan DueAt { get; set; }

        public TimeSpan ToldAt { get; set; }

        public TimeSpan? BeganAt { get; set; }
    }
}
