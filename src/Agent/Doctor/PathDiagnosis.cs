using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Node;

namespace FailoverHub.Agent.Doctor;

/// <summary>The way to the route servers, from the source address to the session.</summary>
internal static class PathDiagnosis
{
    private const string ShareAdvice =
        "The platform lets no session come up before an IP share is registered for this machine: in its Cloud Manager, Network, IP Sharing, or POST /v4/networking/ips/share. It takes 10 to 20 s then.";

    // A session that has been down for less may just be on its way up.
    private static readonly TimeSpan _comingUp = TimeSpan.FromSeconds(10);

    // RFC 8200 5.
    private const int LeastMtu = 1280;

    public static Finding Ipv6Source(DoctorFacts facts)
    {
        const string check = "ipv6-source";
        if (facts.Neighbors.Length > 0 && facts.Neighbors.All(neighbor => neighbor.Neighbor.Address.AddressFamily == AddressFamily.InterNetwork))
        {
            return Finding.NotApplicable(check, "all neighbors are reached over IPv4");
        }

        if (facts.Addresses is not { } addresses)
        {
            return Finding.Unknown(check, "the kernel does not say which addresses the interfaces have");
        }

        if (facts.Options is { LocalIpv6: { } given, LocalIpv6IsFound: false })
        {
            return addresses.Any(address => address.Address.Equals(given))
                ? Finding.Passed(check, $"{given} of --local-address is on {Device(facts, given)}")
                : Finding.Failed(check, $"{given} of --local-address is on no interface", "Every dial fails: correct --local-address or leave it out.");
        }

        if (facts.Instance?.Slaac is { } slaac)
        {
            return addresses.Any(address => address.Address.Equals(slaac))
                ? Finding.Passed(check, $"{slaac}, which the platform knows this machine by, is on {Device(facts, slaac)}")
                : Finding.Failed(check, $"{slaac}, which the platform knows this machine by, is on no interface", "Let the interface take it by SLAAC: sysctl net.ipv6.conf.eth0.accept_ra=2 net.ipv6.conf.eth0.autoconf=1 net.ipv6.conf.eth0.addr_gen_mode=0, and no privacy addresses.");
        }

        return addresses.FirstOrDefault(address => !address.IsLoopback && IsGlobal(address.Address)) is { } own
            ? Finding.Passed(check, $"{own.Address} is on {own.Interface}")
            : Finding.Failed(check, "no interface has an IPv6 address of its own", "The route servers are reached over IPv6 only. Switch IPv6 and router advertisements on (net.ipv6.conf.all.disable_ipv6=0); a very old instance has to be given an address by the platform's support.");
    }

    public static Finding Route(DoctorFacts facts)
    {
        const string check = "route";
        if (NoNeighbors(facts, check) is { } none)
        {
            return none;
        }

        var without = facts.Neighbors.Where(neighbor => neighbor.Source is null && !neighbor.IsEstablished).ToList();
        return without.Count == 0
            ? Finding.Passed(check, $"the kernel has a route to {All(facts)}")
            : Finding.Failed(check, $"the kernel has no route to {Named(facts, without)}", "IPv6 needs its default route, from router advertisements or by hand: ip -6 route. Behind a router of your own accept them with net.ipv6.conf.eth0.accept_ra=2.");
    }

    public static Finding Mtu(DoctorFacts facts)
    {
        const string check = "mtu";
        return NoNeighbors(facts, check) ?? facts.Neighbors.Min(neighbor => neighbor.Mtu) switch
        {
            null => Finding.Unknown(check, "no interface leads to the route servers"),
            < LeastMtu and var mtu => Finding.Failed(check, $"the interface to the route servers has an MTU of {mtu}", $"IPv6 needs {LeastMtu} at least: ip link set DEVICE mtu 1500"),
            var mtu => Finding.Passed(check, $"the interface to the route servers has an MTU of {mtu}"),
        };
    }

    public static Finding Tcp(DoctorFacts facts)
    {
        const string check = "tcp";
        if (NoNeighbors(facts, check) is { } none)
        {
            return none;
        }

        var established = facts.Neighbors.Count(neighbor => neighbor.IsEstablished);
        if (established == facts.Neighbors.Length)
        {
            return Finding.Passed(check, $"the running agent has a session with {All(facts)}");
        }

        var broken = facts.Neighbors.Where(neighbor => !neighbor.IsEstablished && neighbor.Dial is DialOutcome.NotTried or DialOutcome.Refused or DialOutcome.TimedOut or DialOutcome.Failed).ToList();
        if (broken.Count == 0)
        {
            return Finding.Passed(check, $"TCP reaches {All(facts)}");
        }

        var why = broken.Select(Why).Distinct().ToList();
        return Finding.Failed(
            check,
            $"TCP does not reach {Named(facts, broken)}: {string.Join("; ", why)}",
            broken.Exists(neighbor => neighbor.Source is null) ? "First comes the route, see above."
            : broken.Count < facts.Neighbors.Length ? "The others are enough for the address to work. If it lasts, it is the platform's: a ticket."
            : broken.Exists(neighbor => neighbor.Dial == DialOutcome.TimedOut) ? "A firewall on this machine (TCP 179 outgoing over IPv6), or the platform's; or the share is not registered, see below."
            : "Is the data center the right one (--dcid)? Else the share is not registered, see below.");
    }

    /// <summary>From the way in which the route servers turn this machine down.</summary>
    public static Finding Share(DoctorFacts facts)
    {
        const string check = "share";
        if (facts.Neighbors.Any(neighbor => neighbor.IsEstablished))
        {
            return Came(facts);
        }

        if (facts.Neighbors.IsEmpty || facts.Neighbors.Any(neighbor => neighbor.Dial is DialOutcome.NotTried or DialOutcome.Failed))
        {
            return Finding.Unknown(check, "whether an IP share is registered shows only at the route servers, and there is no way to them yet");
        }

        if (facts.Neighbors.Any(neighbor => neighbor.Dial == DialOutcome.Greeted))
        {
            return Finding.Passed(check, "a route server speaks BGP with this machine, so a share is registered");
        }

        if (facts.Neighbors.All(neighbor => neighbor.Dial is DialOutcome.Closed or DialOutcome.Refused or DialOutcome.TimedOut))
        {
            return Finding.Failed(check, $"{All(facts)} {(facts.Neighbors.Length == 1 ? "turns" : "turn")} this machine down: its IP share is probably not registered", ShareAdvice);
        }

        return facts.Neighbors.All(neighbor => neighbor.DownFor >= _comingUp)
            ? Finding.Failed(check, $"the running agent has had no session for {Words.Lasted(facts.Neighbors.Min(neighbor => neighbor.DownFor!.Value))}, though TCP works: the IP share is probably not registered", ShareAdvice)
            : Finding.Unknown(check, "the route servers take connections; whether an IP share is registered shows when the agent runs");
    }

    private static Finding Came(DoctorFacts facts)
    {
        var count = facts.Neighbors.Count(neighbor => neighbor.IsEstablished);
        return Finding.Passed("share", $"{count} of {facts.Neighbors.Length} sessions {(count == 1 ? "is" : "are")} established, so a share is registered");
    }

    private static Finding? NoNeighbors(DoctorFacts facts, string check) => facts.Neighbors.IsEmpty
        ? Finding.Unknown(check, "the route servers are not known", "Give --dcid with the id of the data center, see above.")
        : null;

    private static string Why(NeighborFact neighbor) => neighbor.Dial switch
    {
        DialOutcome.NotTried => "no route",
        DialOutcome.Refused => "connection refused",
        DialOutcome.TimedOut => "no answer",
        _ => neighbor.DialWords,
    };

    private static string All(DoctorFacts facts) => facts.Neighbors.Length == 1 ? facts.Neighbors[0].Neighbor.ToString() : $"all {facts.Neighbors.Length} route servers";

    private static string Named(DoctorFacts facts, List<NeighborFact> some) =>
        some.Count == facts.Neighbors.Length && some.Count > 1 ? $"any of the {some.Count} route servers" : string.Join(", ", some.Select(neighbor => neighbor.Neighbor));

    private static string Device(DoctorFacts facts, IPAddress address) =>
        string.Join(", ", facts.Addresses!.Where(on => on.Address.Equals(address)).Select(on => on.Interface).Distinct());

    private static bool IsGlobal(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 && !address.IsIPv6LinkLocal && !address.IsIPv6UniqueLocal && !address.IsIPv6Multicast && !IPAddress.IsLoopback(address);
}
