using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Node;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Tests.Configuration;

/// <summary>
/// Every flag of the vendor's client, one by one: what it does to the options, in each way in which a Go program lets it be written, what it is when it is not
/// given, and what is refused. The table for operators is docs/vendor-flags.md.
/// </summary>
public sealed class VendorFlagsTests
{
    // What each value of each flag does, as one fact of the options.
    private static readonly Dictionary<string, Func<AgentOptions, string>> _effects = new()
    {
        ["dcid"] = options => $"{options.DataCenter} {options.Neighbors[0]} {options.Neighbors[3]} {options.Neighbors.Length}",
        ["primary"] = options => $"{options.DefaultRole}",
        ["secondary"] = options => $"{options.DefaultRole}",
        ["send56"] = options => $"/{options.Ipv6Length}",
        ["allifs"] = options => $"{options.AllInterfaces}",
        ["multihopttl"] = options => $"{options.MultihopTtl}",
        ["neighborpattern"] = options => string.Join(' ', options.Neighbors),
        ["loglevel"] = options => $"{options.LogLevel} {options.Warnings.Length}",
        ["logjson"] = options => $"{options.LogJson}",
    };

    public static TheoryData<string, string, string> Values => new()
    {
        { "dcid", "18", "18 2600:3c0f:18:34::1 2600:3c0f:18:34::4 4" },
        { "dcid", "2", "2 2600:3c0f:2:34::1 2600:3c0f:2:34::4 4" },
        { "dcid", "48", "48 2600:3c0f:48:34::1 2600:3c0f:48:34::4 4" },
        { "multihopttl", "10", "10" },
        { "multihopttl", "1", "1" },
        { "multihopttl", "255", "255" },
        { "neighborpattern", "2600:3c1f:%d:34::%d", "2600:3c1f:18:34::1 2600:3c1f:18:34::2 2600:3c1f:18:34::3 2600:3c1f:18:34::4" },
        { "loglevel", "trace", "Trace 0" },
        { "loglevel", "debug", "Debug 0" },
        { "loglevel", "info", "Information 0" },
        { "loglevel", "warn", "Warning 0" },
        { "loglevel", "error", "Error 0" },
        { "loglevel", "chatty", "Information 1" },
    };

    public static TheoryData<string, string, string> Switches => new()
    {
        { "primary", "Primary", "" },
        { "secondary", "Secondary", "" },
        { "send56", "/56", "/64" },
        { "allifs", "True", "False" },
        { "logjson", "True", "False" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void FlagWithAValue_InEveryWay_MeansTheSame(string flag, string value, string effect)
    {
        foreach (var words in (string[])[$"-{flag} {value}", $"--{flag} {value}", $"-{flag}={value}", $"--{flag}={value}"])
        {
            Assert.Equal(effect, Read(flag, words));
            Assert.Equal(effect, Read(flag, $"run {words}"));
        }
    }

    [Theory]
    [MemberData(nameof(Switches))]
    public void Switch_InEveryWay_MeansTheSame(string flag, string on, string off)
    {
        string[] ons = ["", "=true", "=TRUE", "=True", "=t", "=T", "=1"];
        string[] offs = ["=false", "=FALSE", "=False", "=f", "=F", "=0"];
        foreach (var dashes in (string[])["-", "--"])
        {
            Assert.All(ons, word => Assert.Equal(on, Read(flag, $"{dashes}{flag}{word}")));
            Assert.All(offs, word => Assert.Equal(off, Read(flag, $"{dashes}{flag}{word}")));
            Assert.Equal(off, Read(flag, $"{dashes}{flag} {dashes}{flag}=false"));
            Assert.Equal(on, Read(flag, $"{dashes}{flag}=0 {dashes}{flag}"));
        }
    }

    [Theory]
    [InlineData("send56", "/64")]
    [InlineData("allifs", "False")]
    [InlineData("multihopttl", "16")]
    [InlineData("neighborpattern", "2600:3c0f:18:34::1 2600:3c0f:18:34::2 2600:3c0f:18:34::3 2600:3c0f:18:34::4")]
    [InlineData("loglevel", "Information 0")]
    [InlineData("logjson", "False")]
    public void NotGiven_IsTheVendorsDefault(string flag, string effect) => Assert.Equal(effect, Read(flag, ""));

    [Theory]
    [InlineData("-dcid", "3", "19", "19 2600:3c0f:19:34::1 2600:3c0f:19:34::4 4")]
    [InlineData("-multihopttl", "10", "20", "20")]
    [InlineData("-loglevel", "warn", "debug", "Debug 0")]
    public void GivenTwice_TheLastCounts(string flag, string first, string last, string effect) =>
        Assert.Equal(effect, Read(flag.TrimStart('-'), $"{flag} {first} -{flag}={last}"));

    [Theory]
    [InlineData("-dcid 0", "--dcid: '0' is no data center id")]
    [InlineData("-dcid 1", "--dcid: '1' is no data center id")]
    [InlineData("-dcid -5", "--dcid: '-5' is no data center id")]
    [InlineData("-dcid 0x12", "--dcid: '0x12' is no data center id")]
    [InlineData("-dcid=", "-dcid")]
    [InlineData("-dcid eighteen", "--dcid: 'eighteen' is no data center id")]
    [InlineData("-dcid", "-dcid")]
    [InlineData("-multihopttl 0", "--multihopttl: '0' is not")]
    [InlineData("-multihopttl 256", "--multihopttl: '256' is not")]
    [InlineData("-multihopttl", "-multihopttl")]
    [InlineData("-neighborpattern 2600::1", "--neighborpattern: '2600::1' gives no IPv6 address")]
    [InlineData("-neighborpattern %d:%d:%d", "--neighborpattern")]
    [InlineData("-neighborpattern 192.0.2.%d%d", "--neighborpattern")]
    [InlineData("-primary -secondary", "--primary and --secondary are both given")]
    [InlineData("-primary=maybe", "maybe")]
    [InlineData("-send56=yes", "yes")]
    [InlineData("-logjson=2", "2")]
    [InlineData("-primary false", "false")]
    [InlineData("-allifs true", "true")]
    [InlineData("stray", "stray")]
    [InlineData("-infp 2600:3c1f", "-infp")]
    public void Mistake_ExitsWith2_AndSaysWhich(string words, string named)
    {
        var line = words.Contains("-dcid", StringComparison.Ordinal) ? $"-primary {words}" : words.Contains("primary", StringComparison.Ordinal) ? $"-dcid 18 {words}" : $"-dcid 18 -primary {words}";
        var error = new StringWriter();

        Assert.Equal(new CommandLineRequest.Exit(2), new AgentCommandLine().Read(line.Split(' '), "host-1", TextWriter.Null, error));
        Assert.Contains(error.ToString().Split('\n'), text => text.StartsWith("error: ", StringComparison.Ordinal) && text.Contains(named, StringComparison.Ordinal));
    }

    [Fact]
    public void NeitherRole_WhereNothingElseGivesOne_IsLeftToAStoredIntent()
    {
        var options = Accept("-dcid 18");

        Assert.Null(options.DefaultRole);
        Assert.True(options.NeedsStoredIntent);
    }

    [Fact]
    public void WhatTheVendorsUnitStarts_StartsHere()
    {
        var options = Accept("-loglevel=debug -primary -dcid 6 -allifs");

        Assert.Equal((6, Role.Primary, LogLevel.Debug, true), (options.DataCenter, options.DefaultRole, options.LogLevel, options.AllInterfaces));
    }

    [Fact]
    public void EveryFlag_IsInTheTableForOperators()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "FailoverHub.sln")))
        {
            directory = directory.Parent!;
        }

        var table = File.ReadAllLines(Path.Combine(directory.FullName, "docs", "vendor-flags.md"));
        Assert.All(_effects.Keys, flag => Assert.Contains(table, row => row.StartsWith($"| `-{flag}", StringComparison.Ordinal)));
    }

    private static string Read(string flag, string words)
    {
        var role = flag is "primary" or "secondary" ? "" : "-primary";
        var dataCenter = flag == "dcid" ? "" : "-dcid 18";

        // A switch of the role that is off leaves none; the options say so.
        return _effects[flag](Accept(words.StartsWith("run ", StringComparison.Ordinal) ? $"{words} {role} {dataCenter}" : $"{role} {dataCenter} {words}"));
    }

    private static AgentOptions Accept(string line)
    {
        var error = new StringWriter();
        var request = new AgentCommandLine().Read(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), "host-1", TextWriter.Null, error);
        Assert.Equal("", error.ToString());
        return Assert.IsType<CommandLineRequest.Run>(request).Options;
    }
}
