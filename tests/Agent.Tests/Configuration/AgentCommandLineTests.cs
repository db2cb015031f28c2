using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Node;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Tests.Configuration;

public sealed class AgentCommandLineTests
{
    [Theory]
    [InlineData("-dcid=18 -primary")]
    [InlineData("-dcid 18 -primary")]
    [InlineData("--dcid=18 --primary")]
    [InlineData("--dcid 18 --primary")]
    [InlineData("run -dcid 18 -primary")]
    [InlineData("-primary=true -dcid 18")]
    [InlineData("-primary=1 -dcid 18")]
    [InlineData("--primary=T --dcid 18")]
    [InlineData("-primary=TRUE -secondary=F -dcid 18")]
    [InlineData("-dcid 3 -primary=0 -dcid=18 -primary")]
    [InlineData("run -dcid=3 -secondary --dcid 18 -secondary=False --primary=t")]
    public void VendorFlags_OneDashOrTwo_SpaceOrEquals_MeanTheSame(string line)
    {
        var options = Accept(line);

        Assert.Equal(18, options.DataCenter);
        Assert.Equal(Role.Primary, options.DefaultRole);
        Assert.Equal(
            ["2600:3c0f:18:34::1", "2600:3c0f:18:34::2", "2600:3c0f:18:34::3", "2600:3c0f:18:34::4"],
            options.Neighbors.Select(neighbor => neighbor.ToString()));
        Assert.Empty(options.Warnings);
    }

    [Fact]
    public void VendorFlags_NothingElseGiven_AreTheVendorsDefaults()
    {
        var options = Accept("-dcid 18 -secondary");

        Assert.Equal(Role.Secondary, options.DefaultRole);
        Assert.Equal(64, options.Ipv6Length);
        Assert.False(options.AllInterfaces);
        Assert.Equal(16, options.MultihopTtl);
        Assert.Equal(9, options.HoldTime.Seconds);
        Assert.Equal(65001u, options.LocalAs);
        Assert.Equal(65000u, options.PeerAs);
        Assert.Equal(LogLevel.Information, options.LogLevel);
        Assert.False(options.LogJson);
        Assert.Null(options.Hub);
        Assert.Equal("host-1", options.Node);
        Assert.Equal("/var/lib/failoverhub-agent", options.StateDirectory);
    }

    [Fact]
    public void VendorFlags_AllOfThem_AreObeyed()
    {
        var options = Accept("-dcid 18 -primary -send56 -allifs -multihopttl 10 -neighborpattern 2001:db8:%d:9::%d -loglevel debug -logjson");

        Assert.Equal(56, options.Ipv6Length);
        Assert.True(options.AllInterfaces);
        Assert.Equal(10, options.MultihopTtl);
        Assert.Equal("2001:db8:18:9::4", options.Neighbors[3].ToString());
        Assert.Equal(LogLevel.Debug, options.LogLevel);
        Assert.True(options.LogJson);
    }

    [Fact]
    public void OwnFlags_AllOfThem_AreObeyed()
    {
        var options = Accept(
            "run --node node-a --primary --neighbor 127.34.0.1:1790 --neighbor [2001:db8::1]:1791 --neighbor 2001:db8::2 --neighbor-port 180 "
            + "--local-address 127.0.0.11 --local-address 2001:db8::9 --router-id 192.0.2.1 --announce 127.203.113.10/32 "
            + "--announce 2001:db8:e001:1b8c::/64=secondary --hub http://127.0.0.1:5081 --state /var/tmp/x --hold-time 30 --local-as 65011 --peer-as 4200000000");

        Assert.Equal("node-a", options.Node);
        Assert.Equal(
            [new NeighborEndpoint(IPAddress.Parse("127.34.0.1"), 1790), new NeighborEndpoint(IPAddress.Parse("2001:db8::1"), 1791), new NeighborEndpoint(IPAddress.Parse("2001:db8::2"), 180)],
            options.Neighbors);
        Assert.Equal(IPAddress.Parse("127.0.0.11"), options.LocalAddressFor(options.Neighbors[0]));
        Assert.Equal(IPAddress.Parse("2001:db8::9"), options.LocalAddressFor(options.Neighbors[1]));
        Assert.Equal("192.0.2.1", options.RouterId.ToString());
        Assert.Equal(
            [new ConfiguredPrefix(IPNetwork.Parse("127.203.113.10/32"), null), new ConfiguredPrefix(IPNetwork.Parse("2001:db8:e001:1b8c::/64"), Role.Secondary)],
            options.Announce);
        Assert.Equal(new Uri("http://127.0.0.1:5081"), options.Hub);
        Assert.Equal("/var/tmp/x", options.StateDirectory);
        Assert.Equal(30, options.HoldTime.Seconds);
        Assert.Equal(65011u, options.LocalAs);
        Assert.Equal(4200000000u, options.PeerAs);
    }

    [Theory]
    [InlineData("-dcid 99 -primary", "99")]
    [InlineData("-dcid 3 -primary", "Fremont")]
    [InlineData("-dcid 18 -primary -loglevel shout", "shout")]
    public void Suspicious_StillStarts_WithAWarningThatSaysWhat(string line, string named)
    {
        Assert.Contains(named, Assert.Single(Accept(line).Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-dcid 18 -primary -secondary", "--primary and --secondary")]
    [InlineData("-primary --metadata off", "--dcid")]
    [InlineData("--metadata off", "--dcid")]
    [InlineData("-primary -neighborpattern 2600::%d", "--neighborpattern")]
    [InlineData("-primary --metadata https://169.254.169.254", "--metadata")]
    [InlineData("-primary --metadata http://metadata.example", "--metadata")]
    [InlineData("-primary --metadata http://169.254.169.254/v1", "--metadata")]
    [InlineData("-primary --metadata http://me@169.254.169.254", "--metadata")]
    [InlineData("-primary --metadata on", "--metadata")]
    [InlineData("-dcid 0 -primary", "--dcid")]
    [InlineData("-dcid eighteen -primary", "--dcid")]
    [InlineData("-dcid 18 -primary -multihopttl 0", "--multihopttl")]
    [InlineData("-dcid 18 -primary -multihopttl 256", "--multihopttl")]
    [InlineData("-dcid 18 -primary -neighborpattern 2600::%d", "--neighborpattern")]
    [InlineData("-dcid 18 -primary --hold-time 2", "--hold-time")]
    [InlineData("--primary --neighbor nowhere", "--neighbor")]
    [InlineData("--primary --neighbor 192.0.2.1:99999", "--neighbor")]
    [InlineData("--primary --neighbor 192.0.2.1 --neighbor 192.0.2.1:179", "--neighbor")]
    [InlineData("-dcid 18 -primary --local-address 192.0.2.1 --local-address 192.0.2.2", "--local-address")]
    [InlineData("-dcid 18 -primary --router-id 0.0.0.0", "--router-id")]
    [InlineData("-dcid 18 --announce 192.0.2.1/32=boss", "--announce")]
    [InlineData("-dcid 18 -primary --announce 192.0.2.0/24", "--announce")]
    [InlineData("-dcid 18 -primary --announce 2001:db8::/48", "--announce")]
    [InlineData("-dcid 18 -primary --announce 192.0.2.1 --announce 192.0.2.1/32", "--announce")]
    [InlineData("-dcid 18 -primary --hub 127.0.0.1:5081", "--hub")]
    [InlineData("-dcid 18 -primary --hub http://hub.example:5081", "SSH tunnel")]
    [InlineData("-dcid 18 -primary --hub http://192.0.2.1:5081", "SSH tunnel")]
    [InlineData("-dcid 18 -primary --hub http://[2001:db8::1]:5081", "SSH tunnel")]
    [InlineData("--primary --neighbor 192.0.2.010", "give 192.0.2.8 if")]
    [InlineData("--primary --neighbor 192.0.2.010:1790", "give 192.0.2.8 if")]
    [InlineData("-dcid 18 -primary --local-address 010.0.0.1", "give 8.0.0.1 if")]
    [InlineData("-dcid 18 -primary --router-id 192.0.2.010", "give 192.0.2.8 if")]
    [InlineData("-dcid 18 -primary --announce 203.0.113.010/32", "give 203.0.113.8/32 if")]
    [InlineData("-dcid 18 -primary --announce 203.0.113.010", "give 203.0.113.8/32 if")]
    [InlineData("-dcid 18 -primary --announce 203.113/32", "give 203.0.0.113/32 if")]
    [InlineData("-dcid 18 -primary --node bad/name", "--node")]
    [InlineData("-dcid 18 -primary --peer-as 0", "--peer-as")]
    [InlineData("-dcid 18 -primary --what", "--what")]
    [InlineData("-dcid 18 -primary=yes", "yes")]
    [InlineData("-dcid 18 -primary -multihopttl", "multihopttl")]
    public void CannotBeObeyed_ExitsWith2_AndNamesTheFlag(string line, string named)
    {
        var (code, error) = Refuse(line);

        Assert.Equal(2, code);
        Assert.Contains(named, error, StringComparison.Ordinal);
    }

    [Fact]
    public void SeveralMistakes_AreReportedAtOnce()
    {
        var (_, error) = Refuse("-dcid x -primary -secondary -multihopttl 900 --router-id me --unknown");

        Assert.Equal(5, error.Split('\n').Count(line => line.StartsWith("error: ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("-primary", "http://169.254.169.254/ http://[fd00:a9fe:a9fe::1]/")]
    [InlineData("-dcid 18 -primary", "http://169.254.169.254/ http://[fd00:a9fe:a9fe::1]/")]
    [InlineData("-primary --metadata http://[::1]:8080", "http://[::1]:8080/")]
    [InlineData("-dcid 18 -primary --metadata off", "")]
    [InlineData("-primary --neighbor 192.0.2.1", "")]
    [InlineData("-primary --neighbor 192.0.2.1 --metadata http://127.0.0.1:8080", "http://127.0.0.1:8080/")]
    public void MetadataService_IsThePlatforms_UnlessNeighborsOrAnotherOneAreGiven(string line, string asked)
    {
        Assert.Equal(asked, string.Join(' ', Accept(line).Metadata));
    }

    [Fact]
    public void NeitherDataCenterNorNeighbor_AreLeftToTheMetadataService()
    {
        var options = Accept("-primary -neighborpattern 2001:db8:%d:9::%d --neighbor-port 1790");

        Assert.Empty(options.Neighbors);
        Assert.Null(options.DataCenter);
        Assert.Equal("2001:db8:%d:9::%d", options.NeighborPattern);
        Assert.Equal(1790, options.NeighborPort);
    }

    [Theory]
    [InlineData("-dcid 18", true)]
    [InlineData("-dcid 18 --announce 192.0.2.1/32", true)]
    [InlineData("-dcid 18 --announce 192.0.2.1/32=primary", false)]
    [InlineData("-dcid 18 --hub https://hub:5081", false)]
    [InlineData("-dcid 18 -secondary", false)]
    public void NoRoleAnywhere_NeedsAStoredIntent(string line, bool needed)
    {
        Assert.Equal(needed, Accept(line).NeedsStoredIntent);
    }

    [Theory]
    [InlineData("http://127.0.0.1:5081")]
    [InlineData("http://localhost:5081")]
    [InlineData("http://[::1]:5081")]
    [InlineData("https://hub.example:5081")]
    public void HubThatNobodyElseCanListenTo_IsAccepted(string hub)
    {
        Assert.Equal(new Uri(hub), Accept($"-dcid 18 -primary --hub {hub}").Hub);
    }

    [Theory]
    [InlineData("version", "failoverhub-agent")]
    [InlineData("--help", "run")]
    [InlineData("run --help", "-neighborpattern")]
    public void AsksForWords_GetsThem_AndExitsWith0(string line, string said)
    {
        var output = new StringWriter();
        var request = new AgentCommandLine().Read(line.Split(' '), "host-1", output, TextWriter.Null);

        Assert.Equal(new CommandLineRequest.Exit(0), request);
        Assert.Contains(said, output.ToString(), StringComparison.Ordinal);
    }

    private static AgentOptions Accept(string line)
    {
        var error = new StringWriter();
        var request = new AgentCommandLine().Read(Split(line), "host-1", TextWriter.Null, error);
        Assert.Equal("", error.ToString());
        return Assert.IsType<CommandLineRequest.Run>(request).Options;
    }

    private static (int Code, string Error) Refuse(string line)
    {
        var error = new StringWriter();
        var request = new AgentCommandLine().Read(Split(line), "host-1", TextWriter.Null, error);
        return (Assert.IsType<CommandLineRequest.Exit>(request).Code, error.ToString());
    }

    private static string[] Split(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
