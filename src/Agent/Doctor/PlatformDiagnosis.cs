using System.Globalization;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Discovery;
using FailoverHub.Agent.Node;

namespace FailoverHub.Agent.Doctor;

/// <summary>What the platform says of this machine and does to it.</summary>
internal static class PlatformDiagnosis
{
    // It writes its files from outside, shortly before the machine starts; clocks differ, and a slow host takes its time.
    private static readonly TimeSpan _beforeBoot = TimeSpan.FromMinutes(15);

    public static Finding Metadata(DoctorFacts facts)
    {
        const string check = "metadata";
        if (facts.Options.Metadata.IsEmpty)
        {
            return Finding.NotApplicable(check, "the metadata service is not asked: --neighbor or --metadata off");
        }

        if (facts.InstanceProblem is null)
        {
            return facts.Instance is { } instance
                ? Finding.Passed(check, $"the metadata service says: {DiscoveredOptions.Describe(instance)}")
                : Finding.Unknown(check, "the metadata service was not asked");
        }

        var kept = facts.Instance is { } old ? $"; an agent kept what it said {Words.Lasted(Positive(facts.Now - old.ReadAt))} ago" : "";
        return facts.Neighbors.IsEmpty
            ? Finding.Failed(check, $"the metadata service does not answer: {facts.InstanceProblem}", "Without it the data center is not known: give --dcid. On a machine of the platform look at the firewall and the route to 169.254.169.254.")
            : Finding.Unknown(check, $"the metadata service does not answer: {facts.InstanceProblem}{kept}", "Nothing depends on it as long as the route servers are known: by --dcid, by an earlier answer, or to the running agent.");
    }

    public static Finding DataCenter(DoctorFacts facts)
    {
        const string check = "data-center";
        if (facts.Options.DataCenter is not { } id)
        {
            return facts.Neighbors.IsEmpty
                ? Finding.Failed(check, $"the data center is not known{(facts.Instance?.Region is { } unknown ? $": this version does not know the region {unknown}" : "")}", "Give --dcid with its id; the platform's guide on failover has the table.")
                : facts.Options.Neighbors.IsEmpty
                ? Finding.Unknown(check, "the running agent knows its route servers; which data center they are of was not given here")
                : Finding.NotApplicable(check, "the route servers were given one by one");
        }

        var said = facts.Instance is { } instance ? DiscoveredOptions.DataCenterOf(instance) : null;
        if (said is not null && said.Id != id)
        {
            return Finding.Failed(check, $"--dcid is {Number(id)}, but this machine is in {said.Region}, which is {Number(said.Id)} ({said.Name})", $"Give --dcid {Number(said.Id)}, or leave it out.");
        }

        return DataCenters.Find(id) switch
        {
            null => Finding.Unknown(check, $"{Number(id)} is not known to this version; its route servers are dialled all the same"),
            { Warning: { } warning } known => Finding.Unknown(check, $"{Number(id)} is {known.Name}: {warning}"),
            var known => Finding.Passed(check, $"{Number(id)} is {known.Name}{(said is null ? "" : ", and this machine is there")}"),
        };
    }

    public static Finding NetworkHelper(DoctorFacts facts)
    {
        const string check = "network-helper";
        const string advice = "It rewrites network files at every start of the machine. Switch it off for this machine: in the platform's Cloud Manager, Configurations, Edit, Auto-configure networking.";
        if (facts.HelperTraces.IsEmpty)
        {
            return Finding.Unknown(check, "no file shows traces of Network Helper", "From inside that is all there is to see. It must be off: in the platform's Cloud Manager, Configurations, Edit, Auto-configure networking.");
        }

        var files = string.Join(", ", facts.HelperTraces.Select(trace => trace.Path));
        if (facts.HelperTraces.Max(trace => trace.WrittenAt) is not { } written || facts.BootedAt is not { } booted)
        {
            return Finding.Unknown(check, $"Network Helper wrote {files}, it cannot be told when", advice);
        }

        return written >= booted - _beforeBoot
            ? Finding.Failed(check, $"Network Helper is on: it wrote {files} for the last start of this machine", advice)
            : Finding.Passed(check, $"Network Helper is off: what it wrote ({files}) is older than the last start of this machine");
    }

    public static Finding Host(DoctorFacts facts)
    {
        const string check = "other-host";
        const string advice = "One broken host takes both away. Put them into a placement group with anti-affinity, or let the platform's support move one.";
        if (facts is { Instance.HostId: { } here, PeerHost: null, Peers.IsEmpty: false })
        {
            var beside = facts.Peers.Where(peer => here.Equals(peer.Host, StringComparison.OrdinalIgnoreCase)).Select(peer => peer.Node).ToList();
            return beside.Count > 0
                ? Finding.Failed(check, $"{string.Join(" and ", beside)} of its pair, as the hub knows, is on the same host {here}", advice)
                : Finding.Passed(check, $"the nodes of its pair are on different hosts, as the hub knows: {string.Join(", ", facts.Peers.Select(peer => $"{peer.Node} on {peer.Host}"))}");
        }

        return (facts.Instance?.HostId, facts.PeerHost) switch
        {
            (null, _) => Finding.Unknown(check, "the platform does not say which host this machine is on"),
            ({ } own, null) => Finding.Unknown(check, $"this machine is on host {own}; which one the other node is on is not known here", $"On the other node: failoverhub-agent doctor --peer-host {own}"),
            ({ } own, { } peer) when own.Equals(peer, StringComparison.OrdinalIgnoreCase) => Finding.Failed(check, $"both nodes are on the same host {own}", advice),
            _ => Finding.Passed(check, "the nodes are on different hosts"),
        };
    }

    private static TimeSpan Positive(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
