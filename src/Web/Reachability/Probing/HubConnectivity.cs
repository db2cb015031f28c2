using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>Whether the hub itself is connected, pure: each address family by its own gateways, for one that is alive says nothing about the other.</summary>
internal sealed class HubConnectivity
{
    /// <summary>What is probed less often than that is judged by whether the hub is connected now: the answers of the time before are forgotten.</summary>
    public static readonly TimeSpan SlowerThan = TimeSpan.FromSeconds(3);

    /// <summary>So long after a probe was sent it is known whether the hub was connected then: the next answers of a gateway have come, or will not.</summary>
    public static readonly TimeSpan KnownWithin = FamilyConnectivity.Apart + ProbePace.Default.Period + TimeSpan.FromMilliseconds(300);

    private const string NothingHeard = "Nothing but the hub's own network has answered the hub since it was started, neither an address nor a gateway. It may be cut off itself, so nothing is known of this address until something answers.";

    private readonly FamilyConnectivity _four = new(AddressFamily.InterNetwork);
    private readonly FamilyConnectivity _six = new(AddressFamily.InterNetworkV6);

    // Of what is probed. A family by which nothing is asked may be gone for good, and nobody misses it.
    private ImmutableHashSet<AddressFamily> _used = [];

    private ImmutableArray<IPNetwork> _links = [];
    private bool _linkHeard;

    /// <summary>What is asked.</summary>
    public IEnumerable<ProbedAddress> Gateways => _four.Gateways.Concat(_six.Gateways);

    /// <summary>Why nothing is known of some addresses; null: the hub is connected as far as can be told.</summary>
    public HubCutOff? Problem
    {
        get
        {
            if (_four.Problem is null && _six.Problem is null)
            {
                return null;
            }

            FamilyConnectivity[] cut = [.. Families.Where(f => f.Problem is not null && _used.Contains(f == _four ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6))];
            return cut.Length == 0 ? null : new HubCutOff(string.Join(" ", cut.Select(f => f.Problem)), IPv4: cut.Contains(_four), IPv6: cut.Contains(_six));
        }
    }

    /// <summary>Something speaks against a way out.</summary>
    public bool IsInDoubt => _four.IsInDoubt || _six.IsInDoubt;

    /// <summary>A gateway, or an address behind one, has answered in this run of the hub.</summary>
    public bool HasHeard { get; private set; }

    /// <summary>Another one whenever something has answered that tells of the way out.</summary>
    public int Version { get; private set; }

    private FamilyConnectivity[] Families => [_four, _six];

    /// <summary>Takes over what is probed.</summary>
    public void SetTargets(IEnumerable<ProbeTarget> targets) => _used = [.. targets.SelectMany(t => IsByName(t.Address) ? [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6] : (AddressFamily[])[t.Address.AddressFamily])];

    /// <summary>Takes over which networks the machine reaches without a gateway.</summary>
    public void SetLinks(ImmutableArray<IPNetwork> links) => _links = links;

    /// <summary>Takes over which gateways there are; returns those that are new and due at once.</summary>
    public ImmutableArray<ProbedAddress> SetGateways(ImmutableArray<IPAddress> gateways, TimeSpan now) =>
    [
        .. _four.SetGateways([.. gateways.Where(g => g.AddressFamily == AddressFamily.InterNetwork)], now),
        .. _six.SetGateways([.. gateways.Where(g => g.AddressFamily == AddressFamily.InterNetworkV6)], now),
    ];

    /// <summary>The gateway of this address, or null.</summary>
    public ProbedAddress? Find(IPAddress address) => Of(address).Find(address);

    /// <summary>Whether this is one of the gateways.</summary>
    public bool Owns(ProbedAddress entry) => Of(entry.Target.Address).Owns(entry);

    /// <summary>Why nothing is known of this address; null: silence is its own. What is known by a name is reached by either family, as long as one is left.</summary>
    public string? ProblemOf(IPAddress address) => !IsByName(address) ? Of(address).Problem
        : Families.Any(f => f.CanTell) && Families.Where(f => f.CanTell).All(f => f.Problem is not null) ? Families.First(f => f.CanTell).Problem
        : null;

    /// <summary>Why silence of this address is not believed yet, where nothing speaks against the way out; null: it is.</summary>
    public string? DoubtOf(IPAddress address) =>
        HasHeard || IPAddress.IsLoopback(address) || (_linkHeard && IsLinked(address)) ? null : NothingHeard;

    /// <summary>Whether the hub was connected just before and just after that time, by the way to that address: its silence then is its own.</summary>
    public bool WasConnectedAround(IPAddress address, TimeSpan sentAt) => DoubtOf(address) is null && ByTheWayTo(address, f => f.WasConnectedAround(sentAt));

    /// <summary>An address has answered, which is no gateway.</summary>
    /// <param name="address">Which.</param>
    /// <param name="sentAt">When it was asked.</param>
    public void Heard(IPAddress address, TimeSpan sentAt)
    {
        if (IPAddress.IsLoopback(address))
        {
            return;
        }

        if (IsLinked(address))
        {
            Version += _linkHeard ? 0 : 1;
            _linkHeard = true;
            return;
        }

        Version += HasHeard ? 0 : 1;
        HasHeard = true;
        if (!IsByName(address) && Of(address).Heard(sentAt))
        {
            Version++;
        }
    }

    /// <summary>Takes in the result of a gateway.</summary>
    public void Record(ProbedAddress gateway, bool answered, TimeSpan sentAt)
    {
        HasHeard |= answered;
        Version++;
        Of(gateway.Target.Address).Record(gateway, answered, sentAt);
    }

    private bool ByTheWayTo(IPAddress address, Func<FamilyConnectivity, bool> was) =>
        !IsByName(address) ? was(Of(address)) : !Families.Any(f => f.CanTell) || Families.Any(f => f.CanTell && was(f));

    private FamilyConnectivity Of(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? _four : _six;

    private bool IsLinked(IPAddress address) => _links.Any(link => link.Contains(address));

    // A URL, whose name is looked up each time.
    private static bool IsByName(IPAddress address) => address.Equals(IPAddress.Any);
}
