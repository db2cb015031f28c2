using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Discovery;
using FailoverHub.Agent.Doctor;
using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Tests.Doctor;

public sealed class DiagnosisTests
{
    private static readonly DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly IPNetwork _shared = IPNetwork.Parse("203.0.113.10/32");
    private static readonly IPAddress _slaac = IPAddress.Parse("2001:db8:18::1");

    private static readonly Uri _hub = new("https://hub:5443/");
    private static readonly HubIdentityDocument _identity = new() { Node = "web-1", NodeId = "n1", Condition = "good", NotAfter = _now.AddDays(20.5), RenewAfter = _now.AddDays(10), DaysLeft = 20.5, Fingerprint = "f" };

    private static readonly InstanceFacts _instance = new() { Region = "us-ord", Slaac = _slaac, HostId = "aa11", Shared = [_shared], ReadAt = _now };

    [Fact]
    public void EverythingFine_Passes()
    {
        var findings = Diagnosis.Of(Fine());

        Assert.All(findings, finding => Assert.True(finding.State is FindingState.Passed or FindingState.NotApplicable, finding.ToString()));
        Assert.Equal(findings.Length, findings.DistinctBy(finding => finding.Check).Count());
    }

    public static TheoryData<string, string, string, string> Rows => new()
    {
        // What is broken; the check that says so; how; a word of what it says or advises.
        { "no agent", "agent", "unknown", "no such socket" },
        { "no metadata", "metadata", "unknown", "no route" },
        { "no metadata, nothing given", "metadata", "failed", "give --dcid" },
        { "metadata off", "metadata", "not-applicable", "--metadata off" },
        { "no metadata, nothing given", "data-center", "failed", "Give --dcid" },
        { "no metadata, but an agent that knows", "metadata", "unknown", "the running agent" },
        { "no metadata, but an agent that knows", "data-center", "unknown", "the running agent" },
        { "unknown region", "data-center", "failed", "does not know the region xx-new" },
        { "another data center", "data-center", "failed", "Give --dcid 18" },
        { "new data center", "data-center", "unknown", "not known to this version" },
        { "Fremont", "data-center", "unknown", "network upgrades" },
        { "neighbors one by one", "data-center", "not-applicable", "one by one" },
        { "no address", "address", "failed", "ip addr add 203.0.113.10/32 dev lo" },
        { "no address, but announced", "address", "failed", "does not answer for it" },
        { "address on eth0", "address", "failed", "--allifs" },
        { "address on eth0, all interfaces", "address", "passed", "eth0" },
        { "address on eth0, seen by the agent", "address", "passed", "eth0" },
        { "no prefix", "address", "failed", "doctor --announce ADDRESS" },
        { "kernel mute", "address", "unknown", "does not say" },
        { "managed, agent not running", "address", "unknown", "when it starts" },
        { "managed, agent running", "address", "failed", "address-rights" },
        { "not permanent", "permanent", "unknown", "lines below" },
        { "managed, agent running", "permanent", "not-applicable", "itself" },
        { "no traces of the helper", "network-helper", "unknown", "must be off" },
        { "helper at this boot", "network-helper", "failed", "Auto-configure networking" },
        { "helper, no time", "network-helper", "unknown", "cannot be told when" },
        { "no slaac address", "ipv6-source", "failed", "SLAAC" },
        { "local address elsewhere", "ipv6-source", "failed", "--local-address" },
        { "no metadata", "ipv6-source", "passed", "2001:db8:18::1" },
        { "no IPv6 at all", "ipv6-source", "failed", "IPv6 only" },
        { "IPv4 neighbors", "ipv6-source", "not-applicable", "IPv4" },
        { "kernel mute", "ipv6-source", "unknown", "does not say" },
        { "no route", "route", "failed", "any of the 4 route servers" },
        { "no route", "tcp", "failed", "First comes the route" },
        { "no route", "share", "unknown", "no way to them yet" },
        { "no route to one", "route", "failed", "2600:3c0f:18:34::1" },
        { "neighbors unknown", "route", "unknown", "--dcid" },
        { "neighbors unknown", "tcp", "unknown", "--dcid" },
        { "neighbors unknown", "mtu", "unknown", "--dcid" },
        { "neighbors unknown", "share", "unknown", "no way to them yet" },
        { "small MTU", "mtu", "failed", "1280" },
        { "all refuse", "tcp", "failed", "connection refused" },
        { "all refuse", "share", "failed", "probably not registered" },
        { "all silent", "tcp", "failed", "firewall" },
        { "all silent", "share", "failed", "Cloud Manager" },
        { "all close", "tcp", "passed", "TCP reaches all 4" },
        { "all close", "share", "failed", "probably not registered" },
        { "one refuses", "tcp", "failed", "enough for the address to work" },
        { "one refuses", "share", "passed", "3 of 4 sessions" },
        { "greeted, no agent", "tcp", "passed", "TCP reaches all 4" },
        { "greeted, no agent", "share", "passed", "speaks BGP" },
        { "open but mute", "share", "unknown", "when the agent runs" },
        { "open but mute, agent long without", "share", "failed", "no session for 1 min 0 s" },
        { "open but mute, agent just started", "share", "unknown", "when the agent runs" },
        { "kernel refuses", "tcp", "failed", "a firewall rule" },
        { "kernel refuses", "share", "unknown", "no way to them yet" },
        { "lelastic runs", "other-speakers", "failed", "systemctl disable --now lelastic" },
        { "bird runs", "other-speakers", "unknown", "bird" },
        { "same host", "other-host", "failed", "anti-affinity" },
        { "same host as the hub's peer", "other-host", "failed", "web-2 of its pair, as the hub knows, is on the same host" },
        { "other host than the hub's peer", "other-host", "passed", "web-2 on cc33" },
        { "peer unknown", "other-host", "unknown", "--peer-host aa11" },
        { "host unknown", "other-host", "unknown", "does not say" },
        { "clock free", "clock", "failed", "timedatectl" },
        { "clock mute", "clock", "unknown", "does not say" },
        { "state closed", "state-directory", "unknown", "Run doctor as that user" },
        { "state closed, no agent", "state-directory", "failed", "--state DIR" },
        { "state missing", "state-directory", "unknown", "not there yet" },
        { "managed, no right", "address-rights", "failed", "CAP_NET_ADMIN" },
        { "managed, agent running", "address-rights", "passed", "may add" },
        { "managed, rights unknown", "address-rights", "unknown", "cannot be told" },
        { "not urgent", "priority", "unknown", "LimitRTPRIO=1" },
        { "urgency unknown", "priority", "unknown", "cannot be told" },
        { "labelled for the system", "selinux", "passed", "bin_t" },
        { "labelled for a user", "selinux", "failed", "chcon -t bin_t" },
        { "certificate good", "certificate", "passed", "20 days" },
        { "certificate ending", "certificate", "failed", "ends in 6 days" },
        { "certificate over", "certificate", "failed", "ended 1 day ago" },
        { "certificate over, not renewed", "certificate", "failed", "ended 1 day ago, and was not renewed: nobody answers" },
        { "certificate refused", "certificate", "failed", "does not take this node's certificate: Revoked. failoverhub-agent join" },
        { "join cannot be read by this user, the agent can", "certificate", "passed", "20 days" },
        { "join cannot be read, no agent", "certificate", "failed", "cannot be used chmod 600" },
        { "join cannot be read by the agent", "certificate", "failed", "cannot be used chmod 600" },
        { "joined, connected", "hub", "passed", "https://hub:5443/" },
        { "joined, not connected", "hub", "failed", "no route to host What is announced stays" },
        { "joined, no agent", "hub", "unknown", "only a running agent says" },
        { "joined while it runs, not taken", "hub", "unknown", "read its configuration again" },
        { "no hub", "hub", "not-applicable", "stand-alone" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void BrokenThing_IsFound(string broken, string check, string state, string said)
    {
        var finding = Diagnosis.Of(Break(broken)).First(finding => finding.Check == check);

        Assert.Equal(state, finding.State.Word());
        Assert.Contains(said, finding.Text + " " + finding.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public void WhateverFails_SaysWhatToDo()
    {
        foreach (var broken in Rows.Select(row => row.Data.Item1).Distinct())
        {
            Assert.All(Diagnosis.Of(Break(broken)).Where(finding => finding.State == FindingState.Failed), finding => Assert.NotNull(finding.Advice));
        }
    }

    private static DoctorFacts Break(string what)
    {
        var fine = Fine();
        return what switch
        {
            "no agent" => WithoutAgent(fine),
            "no metadata" => fine with { Instance = null, InstanceProblem = "no route" },
            "no metadata, nothing given" => fine with { Options = Given("--primary"), Instance = null, InstanceProblem = "no route", Neighbors = [] },
            "no metadata, but an agent that knows" => fine with { Options = Given("--primary"), Instance = null, InstanceProblem = "no route" },
            "metadata off" => fine with { Options = Given("--primary --dcid 18 --metadata off"), Instance = null },
            "unknown region" => fine with { Options = Given("--primary"), Instance = _instance with { Region = "xx-new" }, Neighbors = [] },
            "another data center" => fine with { Options = Given("--primary --dcid 22") },
            "new data center" => fine with { Options = Given("--primary --dcid 99"), Instance = null },
            "Fremont" => fine with { Options = Given("--primary --dcid 3"), Instance = null },
            "neighbors one by one" => fine with { Options = Given("--primary --neighbor 2001:db8::5") },
            "no address" => fine with { Prefixes = [new PrefixFact(_shared, [], false)] },
            "no address, but announced" => fine with { Options = Given("--primary --dcid 18 --announce 203.0.113.10"), Prefixes = [new PrefixFact(_shared, [], false)] },
            "address on eth0" => fine with { Prefixes = [new PrefixFact(_shared, ["eth0"], false)] },
            "address on eth0, all interfaces" => fine with { Options = Given("--primary --dcid 18 --allifs"), Prefixes = [new PrefixFact(_shared, ["eth0"], false)] },
            "address on eth0, seen by the agent" => fine with { Prefixes = [new PrefixFact(_shared, ["eth0"], false) { SeenByAgent = true }] },
            "no prefix" => fine with { Prefixes = [] },
            "kernel mute" => fine with { Addresses = null },
            "managed, agent not running" => WithoutAgent(Managed(fine)),
            "managed, agent running" => Managed(fine),
            "managed, no right" => Managed(fine) with { Privileges = new PrivilegeFacts { Who = "the agent", MayManageAddresses = false, MayBeUrgent = true } },
            "managed, rights unknown" => Managed(fine) with { Privileges = new PrivilegeFacts { Who = "the agent" } },
            "not permanent" => fine with { Prefixes = [new PrefixFact(_shared, ["lo"], true)] },
            "no traces of the helper" => fine with { HelperTraces = [] },
            "helper at this boot" => fine with { HelperTraces = [new HelperTrace("/etc/resolv.conf", _now.AddDays(-1).AddMinutes(-1))] },
            "helper, no time" => fine with { HelperTraces = [new HelperTrace("/etc/resolv.conf", null)] },
            "no slaac address" => fine with { Addresses = [new InterfaceAddress("eth0", false, IPAddress.Parse("2001:db8:18::9"), 64)] },
            "local address elsewhere" => fine with { Options = Given("--primary --dcid 18 --local-address 2001:db8::77") },
            "no IPv6 at all" => fine with { Instance = null, Addresses = [new InterfaceAddress("eth0", false, IPAddress.Parse("fd00::1"), 64)] },
            "IPv4 neighbors" => fine with { Neighbors = [new NeighborFact { Neighbor = new NeighborEndpoint(IPAddress.Parse("192.0.2.1"), 179) }] },
            "no route" => fine with { Neighbors = Each(neighbor => neighbor with { Source = null, Session = "active" }) },
            "no route to one" => fine with { Neighbors = One(neighbor => neighbor with { Source = null, Session = "active" }) },
            "neighbors unknown" => fine with { Neighbors = [] },
            "small MTU" => fine with { Neighbors = One(neighbor => neighbor with { Mtu = 1000 }) },
            "all refuse" => fine with { Neighbors = Dialled(DialOutcome.Refused) },
            "all silent" => fine with { Neighbors = Dialled(DialOutcome.TimedOut) },
            "all close" => fine with { Neighbors = Dialled(DialOutcome.Closed) },
            "one refuses" => fine with { Neighbors = One(neighbor => neighbor with { Session = "active", Dial = DialOutcome.Refused }) },
            "greeted, no agent" => WithoutAgent(fine) with { Neighbors = Dialled(DialOutcome.Greeted) },
            "open but mute" => WithoutAgent(fine) with { Neighbors = Dialled(DialOutcome.Silent) },
            "open but mute, agent long without" => fine with { Neighbors = [.. Dialled(DialOutcome.Silent).Select(neighbor => neighbor with { DownFor = TimeSpan.FromSeconds(60) })] },
            "open but mute, agent just started" => fine with { Neighbors = [.. Dialled(DialOutcome.Silent).Select(neighbor => neighbor with { DownFor = TimeSpan.FromSeconds(2) })] },
            "kernel refuses" => fine with { Neighbors = [.. Dialled(DialOutcome.Failed).Select(neighbor => neighbor with { DialWords = "not permitted: a firewall rule on this node" })] },
            "lelastic runs" => fine with { OtherSpeakers = ["bird", "lelastic"] },
            "bird runs" => fine with { OtherSpeakers = ["bird"] },
            "same host" => fine with { PeerHost = "AA11" },
            "peer unknown" => fine with { PeerHost = null },
            "same host as the hub's peer" => fine with { PeerHost = null, Peers = [new Agent.Identity.PeerHost("web-2", "AA11")] },
            "other host than the hub's peer" => fine with { PeerHost = null, Peers = [new Agent.Identity.PeerHost("web-2", "cc33")] },
            "host unknown" => fine with { Instance = _instance with { HostId = null } },
            "clock free" => fine with { ClockIsSynchronised = false },
            "clock mute" => fine with { ClockIsSynchronised = null },
            "state closed" => fine with { StateProblem = "this user may not write there" },
            "state closed, no agent" => WithoutAgent(fine) with { StateProblem = "this user may not write there" },
            "state missing" => fine with { StateIsMissing = true },
            "not urgent" => fine with { Privileges = new PrivilegeFacts { Who = "the agent", MayBeUrgent = false } },
            "urgency unknown" => fine with { Privileges = new PrivilegeFacts { Who = "the agent" } },
            "labelled for the system" => fine with { SelinuxLabel = "system_u:object_r:bin_t:s0" },
            "labelled for a user" => fine with { SelinuxLabel = "unconfined_u:object_r:user_home_t:s0" },
            "certificate good" => fine with { CertificateEnds = _now.AddDays(20.5) },
            "certificate ending" => fine with { CertificateEnds = _now.AddDays(6.5) },
            "certificate over" => fine with { CertificateEnds = _now.AddDays(-0.5) },
            "certificate over, not renewed" => Joined(fine, _identity with { NotAfter = _now.AddDays(-0.5), RenewalProblem = "nobody answers" }),
            "certificate refused" => Joined(fine, _identity with { Refusal = "Revoked.", Advice = "failoverhub-agent join" }),
            "join cannot be read by this user, the agent can" => Joined(fine with { Options = fine.Options with { JoinProblem = "chmod 600" } }, _identity),
            "join cannot be read, no agent" => WithoutAgent(fine) with { Options = fine.Options with { JoinProblem = "chmod 600" } },
            "join cannot be read by the agent" => fine with { Status = fine.Status! with { JoinProblem = "chmod 600" } },
            "joined, connected" => Joined(fine, _identity),
            "joined, not connected" => fine with { Status = fine.Status! with { HubLink = new HubDocument { Hub = _hub.ToString(), Connected = false, LastError = "no route to host" } } },
            "joined, no agent" => WithoutAgent(fine) with { Options = fine.Options with { Hub = _hub }, CertificateEnds = _now.AddDays(20) },
            "joined while it runs, not taken" => fine with { Options = fine.Options with { Hub = _hub }, CertificateEnds = _now.AddDays(20) },
            "no hub" => fine,
            _ => throw new ArgumentOutOfRangeException(nameof(what), what, "No such row."),
        };
    }

    private static DoctorFacts Fine() => new()
    {
        Options = Given("--primary --dcid 18"),
        Now = _now,
        Status = DoctorStatus.Running("node-a"),
        Instance = _instance,
        Addresses = [new InterfaceAddress("lo", true, IPAddress.Parse("203.0.113.10"), 32), new InterfaceAddress("eth0", false, _slaac, 64)],
        Prefixes = [new PrefixFact(_shared, ["lo"], true) { Files = ["/etc/netplan/60-failoverhub.yaml"] }],
        Neighbors = Each(neighbor => neighbor),
        HelperTraces = [new HelperTrace("/etc/resolv.conf", _now.AddDays(-100))],
        BootedAt = _now.AddDays(-1),
        ClockIsSynchronised = true,
        PeerHost = "bb22",
        Privileges = new PrivilegeFacts { Who = "the agent", MayManageAddresses = true, MayBeUrgent = true },
    };

    private static DoctorFacts Joined(DoctorFacts facts, HubIdentityDocument identity) => facts with
    {
        Status = facts.Status! with { HubLink = new HubDocument { Hub = _hub.ToString(), Connected = true, Identity = identity } },
    };

    private static DoctorFacts WithoutAgent(DoctorFacts facts) => facts with
    {
        Status = null,
        StatusProblem = "there is no such socket",
        Neighbors = [.. facts.Neighbors.Select(neighbor => neighbor with { Session = null, Dial = DialOutcome.Greeted })],
    };

    private static DoctorFacts Managed(DoctorFacts facts) => facts with
    {
        Options = facts.Options with { Addresses = new AddressOptions { Mode = AddressMode.Managed } },
        Prefixes = [new PrefixFact(_shared, [], false)],
    };

    private static ImmutableArray<NeighborFact> Each(Func<NeighborFact, NeighborFact> change) =>
    [
        .. Given("--primary --dcid 18").Neighbors.Select(neighbor => change(new NeighborFact { Neighbor = neighbor, Source = _slaac, Mtu = 1500, Session = "established" })),
    ];

    private static ImmutableArray<NeighborFact> One(Func<NeighborFact, NeighborFact> change)
    {
        var all = Each(neighbor => neighbor);
        return all.SetItem(0, change(all[0]));
    }

    private static ImmutableArray<NeighborFact> Dialled(DialOutcome outcome) => Each(neighbor => neighbor with { Session = "active", Dial = outcome });

    private static AgentOptions Given(string line) =>
        Assert.IsType<CommandLineRequest.Run>(new AgentCommandLine().Read(line.Split(' '), "host-1", TextWriter.Null, TextWriter.Null)).Options;
}
