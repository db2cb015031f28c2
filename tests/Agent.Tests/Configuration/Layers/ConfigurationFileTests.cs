using System.Net;
using CsCheck;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Configuration.Layers;
using FailoverHub.Agent.Node;
using FailoverHub.Bgp.Messages;
using Microsoft.Extensions.Logging;
using static FailoverHub.Agent.Tests.Configuration.Layers.ConfigurationText;

namespace FailoverHub.Agent.Tests.Configuration.Layers;

/// <summary>What the file says, and every sentence about what is wrong with it.</summary>
public sealed class ConfigurationFileTests
{
    private static readonly string[] _leaves = ["null", "true", "false", "\"\"", "\"primary\"", "\"203.0.113.10/32\"", "\"http://a\"", "0", "18", "-1", "1e400", "0.1", "99999999999999999999"];
    private static readonly string[] _small = ["true", "\"a\"", "7"];

    [Fact]
    public void EveryKey_IsObeyed()
    {
        var options = Accept(Samples.Everything);

        Assert.Equal("node-a", options.Node);
        Assert.Equal(18, options.DataCenter);
        Assert.Equal(["192.0.2.1:1790", "[2001:db8::1]:1791", "[2001:db8::2]:180"], options.Neighbors.Select(neighbor => neighbor.ToString()));
        Assert.Equal("2001:db8:%d:9::%d", options.NeighborPattern);
        Assert.Equal(180, options.NeighborPort);
        Assert.Equal((IPAddress.Parse("192.0.2.11"), IPAddress.Parse("2001:db8::11")), (options.LocalIpv4, options.LocalIpv6));
        Assert.Equal("192.0.2.99", options.RouterId.ToString());
        Assert.Equal((65011u, 4200000000u), (options.LocalAs, options.PeerAs));
        Assert.Equal(Role.Secondary, options.DefaultRole);
        Assert.Equal(
            [
                new ConfiguredPrefix(IPNetwork.Parse("203.0.113.10/32"), Role.Primary) { Present = true, Failback = new FailbackOptions { Policy = FailbackPolicy.AfterStable, StableFor = TimeSpan.FromSeconds(90) } },
                new ConfiguredPrefix(IPNetwork.Parse("2001:db8:e001:1b8c::/64"), null) { Present = false },
            ],
            options.Announce);
        Assert.Equal(new FailbackOptions { Policy = FailbackPolicy.Manual }, options.Failback);
        Assert.Equal(new IntentLimits { Drain = false, Promote = false, Demote = false }, options.Limits);
        Assert.Equal(new AddressOptions { Mode = AddressMode.Managed, Device = "shared0" }, options.Addresses);
        Assert.True(options.AllInterfaces);
        Assert.Equal(56, options.Ipv6Length);
        Assert.Equal(30, options.HoldTime.Seconds);
        Assert.Equal(TimeSpan.FromSeconds(70), options.Protocol.SendHoldTime);
        Assert.Equal(12, options.MultihopTtl);
        Assert.True(options.Protocol is { ExtendedMessages: true, EnhancedRouteRefresh: true, GracefulRestartHelper: true });
        Assert.Equal([new LargeCommunity(64500, 1, 20)], options.Protocol.LargeCommunities);
        Assert.Equal(TimeSpan.FromSeconds(15), options.Protocol.GracefulShutdown);
        Assert.False(options.Damping);
        Assert.False(options.Probing);
        Assert.Equal([new Uri("http://192.0.2.254")], options.Metadata);
        Assert.Equal(new Uri("http://127.0.0.1:5081"), options.Hub);
        Assert.Equal(("/var/tmp/state", "/var/tmp/agent.sock"), (options.StateDirectory, options.ControlSocket));
        Assert.Equal(IPEndPoint.Parse("127.0.0.1:9179"), options.Metrics);
        Assert.Equal(5999, options.IdentityPort);
        Assert.Equal((LogLevel.Debug, true), (options.LogLevel, options.LogJson));
    }

    [Fact]
    public void Checks_OfEachKind_AreRead()
    {
        var checks = Accept(Samples.Everything).Checks;

        Assert.Equal(
            new CheckOptions
            {
                Name = "web",
                Probe = new ProbeOptions.Http(new Uri("https://shop.example/health"))
                {
                    ConnectTo = "127.0.0.1",
                    HostName = "shop.example",
                    Statuses = [new StatusRange(204, 204), new StatusRange(300, 399)],
                    Body = BodyPattern.Containing("ok"),
                    VerifyCertificate = false,
                    CertificateAuthorityFile = "/etc/ssl/ca.pem",
                    MinimumCertificateDays = 14,
                },
                Interval = TimeSpan.FromSeconds(5),
                FastInterval = TimeSpan.FromSeconds(0.25),
                Timeout = TimeSpan.FromSeconds(1),
                Rise = 4,
                Fall = 5,
                Initial = InitialVerdict.Unhealthy,
                Consequence = HealthConsequence.Demote,
                Prefixes = [IPNetwork.Parse("203.0.113.10/32")],
            },
            checks[0]);
        Assert.Equal(new CheckOptions { Name = "db", Probe = new ProbeOptions.Tcp("127.0.0.1", 5432), Initial = InitialVerdict.Healthy }, checks[1]);
        Assert.Equal(new ProbeOptions.Command(["killall", "-0", "nginx"]) { User = "nobody", Group = "nogroup" }, checks[2].Probe);
        Assert.Equal(new ProbeOptions.Command(["/usr/bin/test", "-e", "/run/a b"]), checks[3].Probe);
        Assert.Equal(new ProbeOptions.Process("nginx", "/run/nginx.pid"), checks[4].Probe);
        Assert.True(Assert.IsType<ProbeOptions.Http>(checks[5].Probe).Body!.IsExpression);
    }

    [Fact]
    public void ShortInterval_TheFastOneIsNotLonger() =>
        Assert.Equal(TimeSpan.FromSeconds(0.2), Assert.Single(Accept("""{"dataCenter":18,"role":"primary","checks":[{"name":"a","tcp":{"port":80},"interval":0.2}]}""").Checks).FastInterval);

    [Fact]
    public void OnlyCommentsAndTrailingCommas_AreNoErrors() =>
        Assert.Equal(18, Accept("{ // one\n \"dataCenter\": 18, /* two */ \"role\": \"primary\", }").DataCenter);

    [Fact]
    public void ByteOrderMark_IsNoError() => Assert.Equal(18, Accept("\uFEFF{ \"dataCenter\": 18, \"role\": \"primary\" }").DataCenter);

    [Theory]
    [InlineData("\"dataCentre\": 18", "FILE:2:1: dataCentre: is no key here; did you mean dataCenter?")]
    [InlineData("\"data_center\": 18", "FILE:2:1: data_center: is no key here; did you mean dataCenter?")]
    [InlineData("\"holdTime\": 9", "FILE:2:1: holdTime: is no key here; did you mean session.holdTime?")]
    [InlineData("\"session\": { \"hub\": \"\" }", "FILE:2:14: session.hub: is no key here; did you mean hub at the top of the file?")]
    [InlineData("\"colour\": 1", "FILE:2:1: colour: is no key here; those here are $schema, node, ")]
    [InlineData("\"node\": \"a\", \"node\": \"b\"", "FILE:2:14: node: is given twice, first in line 2; give it once.")]
    [InlineData("\"node\": 5", "FILE:2:9: node: a number stands where a text belongs; write it between quotation marks.")]
    [InlineData("\"node\": null", "FILE:2:9: node: null stands where a text belongs")]
    [InlineData("\"node\": \"a/b\"", "FILE:2:9: node: 'a/b' cannot be the name of a node")]
    [InlineData("\"dataCenter\": \"18\"", "FILE:2:15: dataCenter: a text stands where a number belongs; write one, without quotation marks.")]
    [InlineData("\"dataCenter\": 18.5", "FILE:2:15: dataCenter: '18.5' is no data center id")]
    [InlineData("\"neighbors\": \"192.0.2.1\"", "FILE:2:14: neighbors: a text stands where a list belongs; write it between [ and ].")]
    [InlineData("\"neighbors\": [\"192.0.2.1\", \"192.0.2.010\"]", "FILE:2:28: neighbors[1]: '192.0.2.010' would be read as 192.0.2.8")]
    [InlineData("\"neighbors\": [\"192.0.2.1\", 7]", "FILE:2:28: neighbors[1]: a number stands where a text belongs")]
    [InlineData("\"neighborPattern\": \"%d\"", "FILE:2:20: neighborPattern: '%d' gives no IPv6 address")]
    [InlineData("\"neighborPort\": 70000", "FILE:2:17: neighborPort: '70000' is not a TCP port; give a number from 1 to 65535.")]
    [InlineData("\"localAddresses\": [\"192.0.2.1\", \"x\"]", "FILE:2:33: localAddresses[1]: 'x' is no address")]
    [InlineData("\"routerId\": \"0.0.0.0\"", "FILE:2:13: routerId: '0.0.0.0' is no router id")]
    [InlineData("\"localAs\": 0", "FILE:2:12: localAs: '0' is not an AS number")]
    [InlineData("\"peerAs\": -1", "FILE:2:11: peerAs: '-1' is not an AS number")]
    [InlineData("\"role\": \"boss\"", "FILE:2:9: role: 'boss' is not known; write one of primary, secondary.")]
    [InlineData("\"hub\": \"http://192.0.2.1\"", "FILE:2:8: hub: 'http://192.0.2.1' would cross the network unprotected")]
    [InlineData("\"metrics\": \"everywhere\"", "FILE:2:12: metrics: 'everywhere' is no address with a port")]
    [InlineData("\"metadata\": \"metadata.example\"", "FILE:2:13: metadata: 'metadata.example' is no address of a metadata service")]
    [InlineData("\"damping\": \"on\"", "FILE:2:12: damping: a text stands where true or false belongs")]
    [InlineData("\"log\": { \"level\": \"loud\" }", "FILE:2:19: log.level: 'loud' is not known; write one of trace, debug, info, warn, error.")]
    [InlineData("\"log\": \"debug\"", "FILE:2:8: log: a text stands where an object belongs; write it as { \"level\": ... }.")]
    [InlineData("\"addresses\": { \"mode\": \"owned\" }", "FILE:2:24: addresses.mode: 'owned' is not known; write one of watched, managed.")]
    [InlineData("\"addresses\": { \"device\": \"shared0\" }", "FILE:2:26: addresses.device: nothing is put on shared0 while the addresses are only watched")]
    [InlineData("\"session\": { \"holdTime\": 2 }", "FILE:2:26: session.holdTime: 2 is not allowed by BGP")]
    [InlineData("\"session\": { \"sendHoldTime\": 9 }", "FILE:2:30: session.sendHoldTime: 9 s is not longer than the hold time of 9 s")]
    [InlineData("\"session\": { \"ttlSecurity\": 1, \"multihopTtl\": 2 }", "FILE:2:29: session.ttlSecurity and session.multihopTtl are both given; with session.ttlSecurity packets")]
    [InlineData("\"session\": { \"md5KeyFile\": \"/nowhere/key\" }", "FILE:2:28: session.md5KeyFile: '/nowhere/key' cannot be read")]
    [InlineData("\"session\": { \"largeCommunities\": [\"1:2:3\", \"1:2\"] }", "FILE:2:44: session.largeCommunities[1]: '1:2' is none")]
    [InlineData("\"session\": { \"gracefulShutdown\": 601 }", "FILE:2:34: session.gracefulShutdown: '601' is not a time in seconds; give a number from 0 to 600.")]
    [InlineData("\"prefixes\": [{ \"role\": \"primary\" }]", "FILE:2:14: prefixes[0].prefix: is missing; give the shared prefix")]
    [InlineData("\"prefixes\": [{ \"prefix\": \"192.0.2.1\" }, { \"prefix\": \"192.0.2.1/32\" }]", "FILE:2:53: prefixes[1].prefix: 192.0.2.1/32 is given twice; give each prefix once.")]
    [InlineData("\"prefixes\": [{ \"prefix\": \"192.0.2.1\", \"role\": \"boss\" }]", "FILE:2:47: prefixes[0].role: 'boss' is not known; write one of primary, secondary.")]
    [InlineData("\"prefixes\": [{ \"prefix\": \"192.0.2.1\", \"failback\": { \"stableFor\": 0 } }]", "FILE:2:66: prefixes[0].failback.stableFor: '0' is no whole number from 1 to 86400; give one.")]
    [InlineData("\"prefixes\": [\"192.0.2.1\"]", "FILE:2:14: prefixes[0]: a text stands where an object belongs; write it as { \"prefix\": ... }.")]
    [InlineData("\"failback\": { \"policy\": \"later\" }", "FILE:2:25: failback.policy: 'later' is not known; write one of immediate, after-stable, manual, sticky.")]
    [InlineData("\"limits\": { \"drain\": \"never\" }", "FILE:2:22: limits.drain: a text stands where true or false belongs; write one of the two, without quotation marks.")]
    [InlineData("\"checks\": [{ \"tcp\": { \"port\": 80 } }]", "FILE:2:12: checks[0].name: is missing; give the check a name")]
    [InlineData("\"checks\": [{ \"name\": \"a\" }]", "FILE:2:22: checks[0].name: nothing says what is checked; give one of tcp, http, command, process beside it.")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"tcp\": { \"port\": 80 }, \"process\": {} }]", "checks[0].name: tcp and process are both given")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"tcp\": { \"port\": 0 } }]", "FILE:2:44: checks[0].tcp.port: '0' is no whole number from 1 to 65535; give one.")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"tcp\": {} }]", "checks[0].tcp.port: is missing")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"tcp\": { \"port\": 1, \"host\": \"a b\" } }]", "checks[0].tcp.host: 'a b' is neither a name nor an address")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"http\": { \"url\": \"ftp://a\" } }]", "checks[0].http.url: 'ftp://a' is no http or https URL")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"http\": { \"url\": \"http://a\", \"statuses\": [200, 99] } }]", "checks[0].http.statuses: '99' is no status")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"http\": { \"url\": \"http://a\", \"bodyMatches\": \"(\" } }]", "checks[0].http.bodyMatches: '(' is no regular expression")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"http\": { \"url\": \"http://a\", \"bodyMatches\": \"a\", \"bodyContains\": \"a\" } }]", "checks[0].http.bodyMatches: bodyContains is given as well")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"command\": { \"run\": \" \" } }]", "checks[0].command.run: there is no program")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"process\": { } }]", "checks[0].process.name: there is neither a name nor a pidFile")]
    [InlineData("\"checks\": [{ \"name\": \"a b\", \"tcp\": { \"port\": 80 } }]", "FILE:2:22: checks[0].name: 'a b' cannot be the name of a check")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"tcp\": { \"port\": 80 } }, { \"name\": \"a\", \"tcp\": { \"port\": 81 } }]", "checks[1].name: 'a' is the name of another check already")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"tcp\": { \"port\": 80 }, \"interval\": 0.01 }]", "checks[0].interval: '0.01' is no time in seconds; give a number from 0.1 to 3600.")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"tcp\": { \"port\": 80 }, \"interval\": 1, \"fastInterval\": 2 }]", "checks[0].fastInterval: 2 s is longer than the interval (1 s)")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"tcp\": { \"port\": 80 }, \"rise\": 0 }]", "checks[0].rise: '0' is no whole number from 1 to 100; give one.")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"tcp\": { \"port\": 80 }, \"initial\": \"good\" }]", "checks[0].initial: 'good' is not known; write one of hold, healthy, unhealthy.")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"tcp\": { \"port\": 80 }, \"prefixes\": [] }]", "checks[0].prefixes: is empty")]
    [InlineData("\"checks\": [{ \"name\": \"a\", \"tcp\": { \"port\": 80 }, \"prefixes\": [\"192.0.2.0/24\"] }]", "checks[0].prefixes: ")]
    [InlineData("\"node\": tru", "FILE:2:12: the file is no JSON from here on: ")]
    [InlineData("\"node\": \"\\ud800\"", "FILE:2:9: the file has a text here that is no Unicode")]
    public void OneMistake_IsOneSentence_WithItsPlaceItsKeyAndWhatToDo(string member, string sentence)
    {
        var file = $"{{\n{member}{(member.Contains("role\": \"boss\"", StringComparison.Ordinal) && !member.Contains("prefix", StringComparison.Ordinal) ? "" : ",\n\"role\": \"primary\"")}{(member.Contains("dataCenter", StringComparison.Ordinal) ? "" : ",\n\"dataCenter\": 18")}\n}}";

        Assert.Contains(sentence, Assert.Single(Refuse(file)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "FILE:1:1: the file is no JSON from here on")]
    [InlineData("[]", "FILE:1:1: the file is a list; it has to be one object, { ... }.")]
    [InlineData("{} {}", "FILE:1:4: the file is no JSON from here on")]
    [InlineData("{\n\n  \"node\" \"a\"\n}", "FILE:3:10: the file is no JSON from here on")]
    public void NoObject_SaysWhereItEnds(string file, string sentence) =>
        Assert.StartsWith(sentence, Assert.Single(Refuse(file)), StringComparison.Ordinal);

    [Fact]
    public void ManyMistakes_AreSaidAtOnce()
    {
        var errors = Refuse("""
            {
              "node": "a/b", "dataCentre": 18, "dataCenter": 1, "role": "boss",
              "session": { "holdTime": 2, "ttlSecurity": 500 },
              "prefixes": [ { "prefix": "x" }, { "role": "primary" } ],
              "checks": [ { "name": "a" } ],
              "limits": { "drain": 1 },
            }
            """);

        Assert.Equal(10, errors.Length);
        Assert.All(errors, error => Assert.Matches("^FILE:[0-9]+:[0-9]+: [A-Za-z0-9.\\[\\]]+: ", error));
    }

    [Fact]
    public void FileThatWasNamed_IsNotThere_IsAnError_AndTheDefaultOneIsNone()
    {
        Assert.Contains("/nowhere/agent.json: the file cannot be read: ", Assert.Single(Refuse(null, "--config /nowhere/agent.json -dcid 18 -primary")), StringComparison.Ordinal);
        Assert.Equal(18, Accept(null, "-dcid 18 -primary").DataCenter);
    }

    [Fact]
    public void NothingGivenAnywhere_TheKeysOfTheFileAreNamed_WhereThereIsOne() =>
        Assert.StartsWith("dataCenter: not given, no neighbors either", Assert.Single(Refuse("""{ "role": "primary", "metadata": "off" }""")), StringComparison.Ordinal);

    [Fact]
    public void AnyOctets_NeverThrow()
    {
        Gen.Byte.Array[0, 200].Sample(octets => ConfigurationFile.Read("f", octets), iter: 5_000);
        Gen.String[Gen.Char["{}[]\":,0123456789.-+eEtrufalsn \\/*\u0000ü\ud800"], 0, 80].Sample(text => ConfigurationFile.Read("f", System.Text.Encoding.UTF8.GetBytes(text)), iter: 20_000);
    }

    // Valid JSON that is nonsense: every key, known or not, holds anything.
    [Fact]
    public void AnyJson_IsReadOrRefusedInSentences()
    {
        var names = FileKeys.Top.Concat(FileKeys.Sections.SelectMany(section => FileKeys.OfSection(section))).Concat(FileKeys.OfPrefix).Concat(FileKeys.OfFailback).Concat(FileKeys.OfLimits)
            .Concat(FileChecks.Keys).Concat(FileChecks.OfHttp).Concat(FileChecks.OfTcp).Concat(FileChecks.OfCommand).Append("other").Distinct().ToArray();
        var value = Gen.Recursive<string>((depth, inner) => depth >= 4
            ? Gen.Int[0, _leaves.Length - 1].Select(index => _leaves[index])
            : Gen.OneOf(
                inner.Array[0, 3].Select(items => $"[{string.Join(',', items)}]"),
                Gen.Select(Gen.Int[0, names.Length - 1].Select(index => names[index]), inner).Array[0, 5].Select(members => $"{{{string.Join(',', members.Select(member => $"\"{member.Item1}\":{member.Item2}"))}}}"),
                Gen.Int[0, 2].Select(index => _small[index])));

        value.Sample(
            text =>
            {
                var (request, error) = Read(text, "");
                Assert.True(request is CommandLineRequest.Run || error.Contains("error: ", StringComparison.Ordinal));
            },
            iter: 1_000);
    }
}
