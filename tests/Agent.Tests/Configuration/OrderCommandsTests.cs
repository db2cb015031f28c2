using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Control;

namespace FailoverHub.Agent.Tests.Configuration;

/// <summary>The command lines that change something on a running agent.</summary>
public sealed class OrderCommandsTests
{
    [Theory]
    [InlineData("drain", null, null, null)]
    [InlineData("drain --reason maintenance", null, null, "maintenance")]
    [InlineData("undrain", null, null, null)]
    [InlineData("role primary", null, "primary", null)]
    [InlineData("role default", null, "default", null)]
    [InlineData("role 203.0.113.10/32 secondary --reason x", "203.0.113.10/32", "secondary", "x")]
    [InlineData("role 203.0.113.10 default", "203.0.113.10", "default", null)]
    [InlineData("failback", null, null, null)]
    [InlineData("failback 2001:db8:e001:1b8c::/64 --json", "2001:db8:e001:1b8c::/64", null, null)]
    public void Understood(string line, string? prefix, string? role, string? reason)
    {
        var ask = Assert.IsType<CommandLineRequest.Ask>(Read(line + " --state /var/tmp/x").Request);

        Assert.Equal(new ControlRequest(line.Split(' ')[0]) { Prefix = prefix, Role = role, Reason = reason }, ask.Request);
        Assert.Equal("/var/tmp/x/control.sock", ask.ControlSocket);
        Assert.Equal(line.Contains("--json", StringComparison.Ordinal), ask.Json);
    }

    [Theory]
    [InlineData("role", "Required argument missing")]
    [InlineData("role boss", "'boss' is no role")]
    [InlineData("role 203.0.113.10/32", "is no role")]
    [InlineData("role 203.0.113.0/24 primary", "cannot be shared")]
    [InlineData("role 203.0.113.10/32 primary now", "Unrecognized")]
    [InlineData("failback nonsense", "is no prefix")]
    [InlineData("drain now", "Unrecognized")]
    public void NotUnderstood_ExitsWith2_AndSaysWhat(string line, string words)
    {
        var (request, error) = Read(line);

        Assert.Equal(new CommandLineRequest.Exit(2), request);
        Assert.Contains(words, error, StringComparison.Ordinal);
    }

    [Fact]
    public void ReasonWithoutEnd_IsRefusedHere() => Assert.Contains("--reason: more than 500 characters", Read("drain --reason " + new string('x', 501)).Error, StringComparison.Ordinal);

    private static (CommandLineRequest Request, string Error) Read(string line)
    {
        using var error = new StringWriter();
        var request = new AgentCommandLine().Read(line.Split(' '), "node-a", TextWriter.Null, error);
        return (request, error.ToString());
    }
}
