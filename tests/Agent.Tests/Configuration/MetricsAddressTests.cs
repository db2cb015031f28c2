using System.Net;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;

namespace FailoverHub.Agent.Tests.Configuration;

public sealed class MetricsAddressTests
{
    [Theory]
    [InlineData("9179", "127.0.0.1:9179")]
    [InlineData("192.0.2.1:9179", "192.0.2.1:9179")]
    [InlineData("[2001:db8::1]:9179", "[2001:db8::1]:9179")]
    [InlineData("0.0.0.0:65535", "0.0.0.0:65535")]
    public void Given_APortAlone_IsOfThisMachine_AndAnAddressIsTaken(string text, string address)
    {
        Assert.Equal((IPEndPoint.Parse(address), null), MetricsAddress.Read(text));
    }

    [Theory]
    [InlineData("0", "no TCP port")]
    [InlineData("65536", "no TCP port")]
    [InlineData("127.0.0.1", "no address with a port")]
    [InlineData("127.0.0.1:0", "no address with a port")]
    [InlineData("::1", "no address with a port")]
    [InlineData("localhost:9179", "no address with a port")]
    [InlineData("", "no address with a port")]
    [InlineData("010.0.0.1:9179", "would be read as 8.0.0.1")]
    public void Given_SomethingElse_IsRefusedWithWhatToGive(string text, string problem)
    {
        var read = MetricsAddress.Read(text);

        Assert.Null(read.Address);
        Assert.Contains(problem, read.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", null, 0)]
    [InlineData("--metrics 9179", "127.0.0.1:9179", 0)]
    [InlineData("--metrics [::1]:9179", "[::1]:9179", 0)]
    [InlineData("--metrics 192.0.2.1:9179", "192.0.2.1:9179", 1)]
    public void Flag_OffUnlessGiven_AndOthersThatMayReadItAreWarnedOf(string flag, string? address, int warnings)
    {
        var request = new AgentCommandLine().Read([.. "--dcid 18 --primary".Split(' '), .. flag.Split(' ', StringSplitOptions.RemoveEmptyEntries)], "host-1", TextWriter.Null, TextWriter.Null);

        var options = Assert.IsType<CommandLineRequest.Run>(request).Options;
        Assert.Equal(address is null ? null : IPEndPoint.Parse(address), options.Metrics);
        Assert.Equal(warnings, options.Warnings.Length);
    }

    [Fact]
    public void Flag_OfNoAddress_IsAnErrorThatNamesIt()
    {
        var error = new StringWriter();
        new AgentCommandLine().Read(["--dcid", "18", "--primary", "--metrics", "everywhere"], "host-1", TextWriter.Null, error);

        Assert.Contains("error: --metrics: 'everywhere' is no address with a port", error.ToString(), StringComparison.Ordinal);
    }
}
