using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace FailoverHub.Agent.Tests.Service;

/// <summary>The unit that is shipped. systemd's own tools judge it (Debian: systemd).</summary>
[Trait("Kind", "Process")]
public sealed partial class UnitFileTests
{
    private const string Program = "/usr/local/bin/failoverhub-agent";

    private static readonly string _path = Path.Combine(Repository(), "packaging", "failoverhub-agent.service");

    [Fact]
    public void Unit_IsANotifyServiceWithAWatchdog_AndHasNoCapability()
    {
        var lines = File.ReadAllLines(_path);

        foreach (var line in (string[])["Type=notify", "WatchdogSec=120", "ExecReload=/bin/kill -HUP $MAINPID", "Restart=always", "User=failoverhub", "CapabilityBoundingSet=", "AmbientCapabilities=", "MemoryDenyWriteExecute=yes", "LimitRTPRIO=1"])
        {
            Assert.Contains(line, lines);
        }

        Assert.Contains(lines, line => line.StartsWith("RestrictAddressFamilies=", StringComparison.Ordinal) && line.Contains("AF_NETLINK", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith($"ExecStart={Program} run ", StringComparison.Ordinal));
    }

    [Fact]
    public void Unit_LetsChecksSeeTheProcessesOfOtherUsers_AndADropInLetsThemSignal()
    {
        Assert.DoesNotContain(File.ReadAllLines(_path), line => line.StartsWith("ProtectProc=", StringComparison.Ordinal));
        Assert.Contains("OOMPolicy=continue", File.ReadAllLines(_path));

        var dropIn = File.ReadAllLines(Path.Combine(Repository(), "packaging", "checks.conf"));
        foreach (var line in (string[])["[Service]", "CapabilityBoundingSet=CAP_KILL", "AmbientCapabilities=CAP_KILL", "MemoryDenyWriteExecute=no"])
        {
            Assert.Contains(line, dropIn);
        }
    }

    [Fact]
    public void Unit_PermitsNoRawSocket_AndADropInDoes()
    {
        var dropIn = File.ReadAllLines(Path.Combine(Repository(), "packaging", "probing.conf"));
        foreach (var line in (string[])["[Service]", "CapabilityBoundingSet=CAP_NET_RAW", "AmbientCapabilities=CAP_NET_RAW"])
        {
            Assert.Contains(line, dropIn);
        }
    }

    [Fact]
    public void Unit_IsStartedAgainHoweverOftenItEnded_AndSaysSoInTheSectionThatCounts()
    {
        var lines = File.ReadAllLines(_path).ToList();

        Assert.InRange(lines.IndexOf("StartLimitIntervalSec=0"), lines.IndexOf("[Unit]") + 1, lines.IndexOf("[Service]") - 1);
    }

    [Fact]
    public void Systemd_FindsNothingWrong_AndItsExposureIsBelow3() => Judge([]);

    [Theory]
    [MemberData(nameof(DropIns))]
    public void Systemd_FindsNothingWrongWithADropIn_AndTheExposureIsBelow3(string dropIn)
    {
        Assert.StartsWith("# ", File.ReadLines(Path.Combine(Repository(), "packaging", dropIn)).First(), StringComparison.Ordinal);
        Judge([dropIn]);
    }

    [Fact]
    public void Systemd_FindsNothingWrongWithAllDropIns_AndTheExposureIsBelow3() => Judge([.. DropIns.Select(row => row.Data)]);

    public static TheoryData<string> DropIns => [.. Directory.GetFiles(Path.Combine(Repository(), "packaging"), "*.conf").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static void Judge(string[] dropIns)
    {
        Assert.True(File.Exists("/usr/bin/systemd-analyze"), "systemd-analyze is missing, so nobody has judged the unit: install Debian's package systemd (./test.sh does where it may).");
        using var directory = new TemporaryDirectory();
        var copy = directory.At("failoverhub-agent.service");
        File.WriteAllText(copy, File.ReadAllText(_path).Replace(Program, "/bin/true", StringComparison.Ordinal));
        Directory.CreateDirectory(copy + ".d");
        foreach (var dropIn in dropIns)
        {
            File.Copy(Path.Combine(Repository(), "packaging", dropIn), Path.Combine(copy + ".d", dropIn));
        }

        Assert.DoesNotContain("failoverhub-agent", Run("verify", copy), StringComparison.Ordinal);
        var said = Run("security", "--offline=true", "--no-pager", copy);
        var exposure = Exposure().Match(said);
        Assert.True(exposure.Success);
        Assert.InRange(double.Parse(exposure.Groups[1].Value, CultureInfo.InvariantCulture), 0, 2.9);

        // That they were read at all: a capability that one gives is counted.
        Assert.Equal(!dropIns.Contains("managed-addresses.conf"), Regex.IsMatch(said, @"✓ CapabilityBoundingSet=~CAP_NET_ADMIN"));
    }

    private static string Run(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/systemd-analyze", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var said = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        return said;
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "FailoverHub.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }

    [GeneratedRegex(@"Overall exposure level for failoverhub-agent\.service: ([0-9.]+)")]
    private static partial Regex Exposure();
}
