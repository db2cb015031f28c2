using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>
/// Whether the hub itself is connected by one address family, by its gateways of that family, pure. When no gateway answers, or the route that once led out is gone,
/// silence of an address says nothing about the address. A gateway that has never answered (many drop ICMP) proves nothing either way, nor does one that is silent while
/// addresses behind it answer, until it answers again; without any that tells, every silence is believed.
/// </summary>
internal sealed class FamilyConnectivity(AddressFamily family)
{
    /// <summary>Of each gateway in a row, before the hub calls itself cut off.</summary>
    private const int SilentProbes = 3;

    /// <summary>So many gateways that once answered are remembered; a machine has one or two.</summary>
    private const int MostRemembered = 16;

    /// <summary>From one answer to the next while nothing is wrong: a second, and what a busy machine adds.</summary>
    public static readonly TimeSpan Apart = TimeSpan.FromSeconds(1.2);

    /// <summary>Thousands of addresses answer: one answer in that time is remembered.</summary>
    private static readonly TimeSpan Thinned = TimeSpan.FromMilliseconds(100);

    /// <summary>Longer than any probe is out. At ten a second that is a few hundred times at most.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(10);

    private readonly Dictionary<IPAddress, ProbedAddress> _gateways = [];

    // Those that have answered ever, the newest last: one that comes back to the routing table is believed as before, and that there is none any more is known by them.
    private readonly List<IPAddress> _told = [];

    // Those that fell silent while addresses behind them answered: they drop what asks them, and prove nothing until they answer again.
    private readonly HashSet<IPAddress> _mute = [];

    // When the probes were sent that gateways, and addresses behind them, answered, about in order.
    private readonly Queue<TimeSpan> _answered = [];
    private TimeSpan? _newestAnswered;

    // The newest question that an address behind the gateways answered; and from when on silence is believed although gateways are silent or gone.
    private TimeSpan? _newestHeard;
    private TimeSpan _believedFrom = TimeSpan.MinValue;
    private bool _isByDevice;

    // Since when there is no default route, and whether somebody has answered all the same: there are other routes then.
    private TimeSpan? _routelessSince;
    private bool _hasOtherRoutes;

    /// <summary>What is asked.</summary>
    public IReadOnlyCollection<ProbedAddress> Gateways => _gateways.Values;

    /// <summary>Why nothing is known of any address of the family, and what to do; null: the hub is connected as far as can be told.</summary>
    public string? Problem { get; private set; }

    /// <summary>It has known a gateway that answers: its silence, or its absence, tells something.</summary>
    public bool CanTell => _told.Count > 0;

    /// <summary>Something speaks against the way out, so the routing table should be read anew soon.</summary>
    public bool IsInDoubt => HasLostItsRoute || Telling.Any(g => g.Failures > 0);

    private bool HasLostItsRoute => CanTell && _gateways.Count == 0 && !_isByDevice && !_hasOtherRoutes;

    private IEnumerable<ProbedAddress> Telling => _gateways.Values.Where(g => _told.Contains(g.Target.Address) && !_mute.Contains(g.Target.Address));

    /// <summary>A gateway that came in the place of one that answered is asked a few times before its silence is said to prove nothing.</summary>
    private bool IsOnTrial => CanTell && !Telling.Any() && _gateways.Values.Any(g => g.Failures < SilentProbes);

    private bool IsJudged => HasLostItsRoute || IsOnTrial || Telling.Any();

    /// <summary>Takes over which gateways there are; returns those that are new and due at once.</summary>
    /// <param name="gateways">All of the family; the family's unspecified address: there is a default route that names no gateway.</param>
    /// <param name="now">The time.</param>
    public List<ProbedAddress> SetGateways(ImmutableArray<IPAddress> gateways, TimeSpan now)
    {
        IPAddress none = family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;
        _isByDevice = gateways.Contains(none);
        foreach (IPAddress gone in _gateways.Keys.Except(gateways).ToArray())
        {
            _gateways[gone].Gone = true;
            _gateways.Remove(gone);
        }

        var added = new List<ProbedAddress>();
        foreach (IPAddress gateway in gateways.Where(g => !g.Equals(none) && !_gateways.ContainsKey(g)))
        {
            var entry = new ProbedAddress(new ProbeTarget(ProbeTarget.Alone(gateway), gateway, "") { Id = $"gateway:{gateway}", IsGateway = true }) { Due = now };
            _gateways.Add(gateway, entry);
            added.Add(entry);
        }

        _routelessSince = _gateways.Count > 0 || _isByDevice ? null : _routelessSince ?? now;
        _hasOtherRoutes &= _routelessSince is not null;
        Judge();
        return added;
    }

    /// <summary>The gateway of this address, or null.</summary>
    public ProbedAddress? Find(IPAddress address) => _gateways.GetValueOrDefault(address);

    /// <summary>Whether this is one of the gateways.</summary>
    public bool Owns(ProbedAddress entry) => _gateways.TryGetValue(entry.Target.Address, out ProbedAddress? known) && ReferenceEquals(known, entry);

    /// <summary>Whether the hub was connected just before and just after that time, so that silence of an address then is the address's own; true without a gateway that tells.</summary>
    public bool WasConnectedAround(TimeSpan sentAt)
    {
        // What was silent before somebody proved the gateways wrong may have been silent because they were right.
        if (!IsJudged && sentAt >= _believedFrom)
        {
            return true;
        }

        bool before = false;
        bool after = false;
        foreach (TimeSpan answered in _answered)
        {
            before |= answered <= sentAt && sentAt - answered <= Apart;
            after |= answered >= sentAt && answered - sentAt <= Apart;
        }

        return before && after;
    }

    /// <summary>An address behind the gateways has answered: the hub was connected when it was asked, whatever the gateways say.</summary>
    /// <returns>That was news.</returns>
    public bool Heard(TimeSpan sentAt)
    {
        _newestHeard = _newestHeard > sentAt ? _newestHeard : sentAt;
        bool isNews = IsRefuted();
        if (isNews)
        {
            Judge();
        }

        if (_newestAnswered is not { } newest || sentAt - newest >= Thinned)
        {
            Remember(sentAt);
            isNews = true;
        }

        return isNews;
    }

    /// <summary>Whether an address behind them has answered what it was asked after its gateways had fallen silent, or were gone.</summary>
    private bool IsRefuted()
    {
        IPAddress[] wrong = [.. Telling.Where(g => g.SilentSince(SilentProbes) < _newestHeard).Select(g => g.Target.Address)];
        bool isByOtherRoutes = HasLostItsRoute && _routelessSince < _newestHeard;
        if (wrong.Length == 0 && !isByOtherRoutes)
        {
            return false;
        }

        _mute.UnionWith(wrong);
        _hasOtherRoutes |= isByOtherRoutes;
        _believedFrom = _newestHeard!.Value;
        return true;
    }

    /// <summary>Takes in the result of a gateway, which the entry has been given already.</summary>
    public void Record(ProbedAddress gateway, bool answered, TimeSpan sentAt)
    {
        if (answered)
        {
            if (!_told.Contains(gateway.Target.Address))
            {
                _told.Add(gateway.Target.Address);
                _told.RemoveRange(0, Math.Max(0, _told.Count - MostRemembered));
            }

            _mute.Remove(gateway.Target.Address);
            Remember(sentAt);
        }

        IsRefuted();
        Judge();
    }

    private void Remember(TimeSpan sentAt)
    {
        _newestAnswered = _newestAnswered > sentAt ? _newestAnswered : sentAt;
        _answered.Enqueue(sentAt);
        while (_answered.Peek() < sentAt - Remembered)
        {
            _answered.Dequeue();
        }
    }

    private void Judge()
    {
        // Back in the table is not yet connected: what was cut off is so until a gateway answers, or has been asked often enough to prove nothing.
        if (Problem is not null && IsOnTrial)
        {
            return;
        }

        string name = family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
        string silent = string.Join(" and ", Telling.Select(g => g.Target.Address));
        Problem = HasLostItsRoute
            ? $"The hub itself is cut off: it has no {name} route out any more; the last one was by {_told[^1]}. Nothing is known of any {name} address until it has one: see to its link and its default route (ip link, ip {(family == AddressFamily.InterNetwork ? "" : "-6 ")}route)."
            : silent.Length > 0 && Telling.All(g => g.Failures >= SilentProbes || (Problem is not null && g.LastAnsweredSentAt is null))
                ? $"The hub itself is cut off: {silent}, its gateway, does not answer. Nothing is known of any {name} address until it does: see to the hub's link, and to that gateway."
                : null;
    }
}
