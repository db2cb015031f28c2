using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Configuration.Layers;
using FailoverHub.Agent.Control;
using FailoverHub.Agent.Node;
using static FailoverHub.Agent.Tests.Configuration.Layers.ConfigurationText;

namespace FailoverHub.Agent.Tests.Configuration.Layers;

/// <summary>A flag goes before the environment, and that before the file.</summary>
public sealed class PrecedenceTests
{
    [Theory]
    [InlineData("--hold-time 30", "40", 30)]
    [InlineData("", "40", 40)]
    [InlineData("", "", 50)]
    public void OneSetting_InEachLayer_TheHighestCounts(string flag, string variable, int seconds)
    {
        var options = Accept("""{ "dataCenter": 18, "role": "primary", "session": { "holdTime": 50 } }""", flag, ("FAILOVERHUB_AGENT_HOLD_TIME", variable));

        Assert.Equal(seconds, options.HoldTime.Seconds);
    }

    [Theory]
    [InlineData("-secondary", "", Role.Secondary)]
    [InlineData("", "FAILOVERHUB_AGENT_SECONDARY", Role.Secondary)]
    [InlineData("", "", Role.Primary)]
    public void RoleGivenAbove_IsNoConflictWithTheRoleBelow(string flag, string variable, object role) =>
        Assert.Equal((Role)role, Accept("""{ "dataCenter": 18, "role": "primary" }""", flag, (variable, "true")).DefaultRole);

    [Fact]
    public void SwitchIsOffOnTheCommandLine_IsOffWhateverIsBelow()
    {
        var options = Accept("""{ "dataCenter": 18, "role": "primary", "addresses": { "send56": true }, "log": { "json": true } }""", "-send56=false -logjson=0");

        Assert.Equal(64, options.Ipv6Length);
        Assert.False(options.LogJson);
    }

    [Fact]
    public void OneOfTwoThatExclude_GivenAbove_ReplacesTheOtherBelow()
    {
        var options = Accept("""{ "dataCenter": 18, "role": "primary", "session": { "multihopTtl": 3 } }""", "--ttl-security 2");

        Assert.Equal(2, options.Protocol.TtlSecurity);
    }

    [Fact]
    public void List_GivenAbove_ReplacesTheOneBelowAsAWhole()
    {
        const string file = """{ "role": "primary", "neighbors": ["192.0.2.1", "192.0.2.2"], "prefixes": [{ "prefix": "203.0.113.1" }, { "prefix": "203.0.113.2" }] }""";

        var options = Accept(file, "--announce 203.0.113.3=secondary", ("FAILOVERHUB_AGENT_NEIGHBOR", "192.0.2.3, [2001:db8::1]:1790"));

        Assert.Equal(["192.0.2.3", "[2001:db8::1]:1790"], options.Neighbors.Select(neighbor => neighbor.ToString()));
        Assert.Equal(["203.0.113.3/32"], options.Announce.Select(prefix => prefix.Prefix.ToString()));
    }

    [Fact]
    public void FileThatNobodyNamed_WasReadAndIsGone_IsRefused_AndGoodAgainWhenItIsBack()
    {
        const string text = """{ "role": "primary", "neighbors": ["192.0.2.1"] }""";
        using var directory = new TemporaryDirectory();
        var file = directory.At("agent.json");
        File.WriteAllText(file, text);
        var source = Source(file);
        Assert.Single(source.Load().Options!.Neighbors);

        File.Delete(file);
        Assert.True(source.HasChanged());
        var gone = source.Load();
        Assert.Null(gone.Options);
        Assert.StartsWith($"{file}: it is gone; the running configuration stays.", Assert.Single(gone.Errors), StringComparison.Ordinal);

        // It is said once, not with each look.
        Assert.False(source.HasChanged());

        File.WriteAllText(file, text);
        Assert.True(source.HasChanged());
        Assert.Single(source.Load().Options!.Neighbors);
    }

    [Fact]
    public void FileThatNobodyNamed_AndThatNeverWas_IsNotMissed()
    {
        using var directory = new TemporaryDirectory();
        var source = Source(directory.At("agent.json"), "--primary", "--neighbor", "192.0.2.1");

        Assert.NotNull(source.Load().Options);
        Assert.NotNull(source.Load().Options);
    }

    [Fact]
    public void EveryFlag_HasAVariable_AndEveryVariableIsItsFlag()
    {
        foreach (var flag in new RunFlags().All)
        {
            Assert.Matches("^FAILOVERHUB_AGENT_[A-Z0-9_]+$", EnvironmentLayer.NameOf(flag.Name));
        }

        var options = Accept(
            null,
            "",
            ("FAILOVERHUB_AGENT_DCID", "18"),
            ("FAILOVERHUB_AGENT_SECONDARY", "1"),
            ("FAILOVERHUB_AGENT_SEND56", "T"),
            ("FAILOVERHUB_AGENT_NEIGHBORPATTERN", "2001:db8:%d:9::%d"),
            ("FAILOVERHUB_AGENT_ANNOUNCE", "203.0.113.10=primary 203.0.113.11"),
            ("FAILOVERHUB_AGENT_URL", "http://127.0.0.1:5081"));
        Assert.Equal((18, Role.Secondary, 56, "2001:db8:18:9::4"), (options.DataCenter, options.DefaultRole, options.Ipv6Length, options.Neighbors[3].ToString()));
        Assert.Equal(2, options.Announce.Length);
        Assert.All(options.Announce, prefix => Assert.True(prefix.Present));
        Assert.Empty(options.Warnings);
    }

    [Fact]
    public void VariableThatIsNotKnown_IsAWarningWithAGuess() =>
        Assert.Equal(
            "environment variable FAILOVERHUB_AGENT_HOLDTIME is not known and not used; did you mean FAILOVERHUB_AGENT_HOLD_TIME?",
            Assert.Single(Accept(null, "-dcid 18 -primary", ("FAILOVERHUB_AGENT_HOLDTIME", "9")).Warnings));

    [Theory]
    [InlineData("FAILOVERHUB_AGENT_HOLD_TIME", "2", "FAILOVERHUB_AGENT_HOLD_TIME: 2 is not allowed by BGP")]
    [InlineData("FAILOVERHUB_AGENT_LOGJSON", "maybe", "FAILOVERHUB_AGENT_LOGJSON: 'maybe' is neither; give true or false.")]
    [InlineData("FAILOVERHUB_AGENT_NEIGHBOR", "nowhere", "FAILOVERHUB_AGENT_NEIGHBOR: 'nowhere' is no address")]
    public void MistakeInAVariable_IsCalledByItsName(string name, string value, string sentence) =>
        Assert.StartsWith(sentence, Assert.Single(Refuse(null, "-dcid 18 -primary", (name, value))), StringComparison.Ordinal);

    [Fact]
    public void MistakesInEveryLayer_AreSaidAtOnce_EachByItsOwnName()
    {
        var errors = Refuse("""{ "dataCenter": 18, "role": "primary", "localAs": 0 }""", "--peer-as 0 --unknown", ("FAILOVERHUB_AGENT_HOLD_TIME", "1"));

        Assert.Equal(4, errors.Length);
        Assert.Contains(errors, error => error.Contains("--unknown", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.StartsWith("--peer-as: ", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.StartsWith("FAILOVERHUB_AGENT_HOLD_TIME: ", StringComparison.Ordinal));
        Assert.Contains(errors, error => error.StartsWith("FILE:1:51: localAs: ", StringComparison.Ordinal));
    }

    [Fact]
    public void FileGivenByFlagOrVariable_IsReadInsteadOfTheDefaultOne()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.At("other.json"), """{ "dataCenter": 19, "role": "primary" }""");

        Assert.Equal(19, Accept("""{ "dataCenter": 18 }""", $"--config {directory.At("other.json")}").DataCenter);
        Assert.Equal(19, Accept("""{ "dataCenter": 18 }""", "", ("FAILOVERHUB_AGENT_CONFIG", directory.At("other.json"))).DataCenter);
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, 0)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite, 1)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupWrite, 1)]
    public void FileThatOthersMayWrite_IsWarnedOf(UnixFileMode mode, int warnings)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.At("other.json"), """{ "dataCenter": 19, "role": "primary" }""");
        File.SetUnixFileMode(directory.At("other.json"), mode);

        Assert.Equal(warnings, Accept(null, $"--config {directory.At("other.json")}").Warnings.Count(warning => warning.Contains("can be written by others", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("status")]
    [InlineData("trace")]
    [InlineData("drain --reason maintenance")]
    public void WhoeverAsks_MayNameTheFile_AndFindsItsSocket(string line)
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.At("other.json"), """{ "control": "/run/elsewhere.sock" }""");

        var (request, error) = Read(null, $"{line} --config {directory.At("other.json")}");

        Assert.Equal("", error);
        Assert.Equal("/run/elsewhere.sock", Assert.IsType<CommandLineRequest.Ask>(request).ControlSocket);
    }

    [Fact]
    public void StatusAndTrace_FindTheSocketOfTheFile()
    {
        var (request, _) = Read("""{ "state": "/var/tmp/elsewhere" }""", "status");

        Assert.Equal(new CommandLineRequest.Ask("/var/tmp/elsewhere/control.sock", new ControlRequest("status", null), false), request);
    }

    private static ConfigurationSource Source(string file, params string[] line)
    {
        var error = new StringWriter();
        var request = new AgentCommandLine().Read(["run", "--state", Path.GetDirectoryName(file)!, .. line], new AgentSurroundings("host-1", [], file), TextWriter.Null, error);
        Assert.Equal("", error.ToString());
        return Assert.IsType<CommandLineRequest.Run>(request).Source;
    }
}
