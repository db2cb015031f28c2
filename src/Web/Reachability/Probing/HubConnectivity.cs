using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

namespace FailoverHub.Web.Reachability.Probing;

/// <summary>Whether the hub itself is connected, pure: each address family by its own gateways, for one that is alive says nothing about the other.</summary>
internal sealed class HubConnectivity
{
    /// <summary>What is probed less often than that is judged by whether the hub is connected now: the answers of the time before are forgotten.</summary>
    public static readonly TimeSpan SlowerThan = TimeSpan.FromSeconds(3);

    private readonly FamilyConnectivity _four = new(AddressFamily.InterNetwork);
    private readonly FamilyConnectivity _six = new(AddressFamily.InterNetworkV6);

    // Of what is probed. A family by which nothing is asked may be gone for good, and nobody misses it.
    private ImmutableHashSet<AddressFamily> _used = [];

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

    private FamilyConnectivity[] Families => [_four, _six];

    /// <summary>Takes over what is probed.</summary>
    public void SetTargets(IEnumerable<ProbeTarget> targets) => _used = [.. targets.SelectMany(t => IsByName(t.Address) ? [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6] : (AddressFamily[])[t.Address.AddressFamily])];

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

    /// <summary>Whether the hub was connected just before that time, by the way to that address.</summary>
    public bool WasConnectedBefore(IPAddress address, TimeSpan sentAt) => ByTheWayTo(address, f => f.WasConnectedBefore(sentAt));

    /// <summary>The same, and just after it: silence of the address at that time is its own.</summary>
    public bool WasConnectedAround(IPAddress address, TimeSpan sentAt) => ByTheWayTo(address, f => f.WasConnectedAround(sentAt));

    /// <summary>Takes in the result of a gateway.</summary>
    public void Record(ProbedAddress gateway, bool answered, TimeSpan sentAt) => Of(gateway.Target.Address).Record(gateway, answered, sentAt);

    private bool ByTheWayTo(IPAddress address, Func<FamilyConnectivity, bool> was) =>
        !IsByName(address) ? was(Of(address)) : !Families.Any(f => f.CanTell) || Families.Any(f => f.CanTell && was(f));

    private FamilyConnectivity Of(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? _four : _six;

    // A URL, whose name is looked up each time.
    private static bool IsByName(IPAddress address) => address.Equals(IPAddress.Any);
}
