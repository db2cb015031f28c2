using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace FailoverHub.Agent.Tests.Service;

/// <summary>The unit that is shipped. systemd's own tools judge it where they are installed (Debian: systemd).</summary>
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
    public void Systemd_FindsNothingWrong_AndItsExposureIsBelow3()
    {
        if (!File.Exists("/usr/bin/systemd-analyze"))
        {
            return;
        }

        using var directory = new TemporaryDirectory();
        var copy = directory.At("failoverhub-agent.service");
        File.WriteAllText(copy, File.ReadAllText(_path).Replace(Program, "/bin/true", StringComparison.Ordinal));

        Assert.DoesNotContain("failoverhub-agent", Run("verify", copy), StringComparison.Ordinal);
        var exposure = Exposure().Match(Run("security", "--offline=true", "--no-pager", copy));
        Assert.True(exposure.Success);
        Assert.InRange(double.Parse(exposure.Groups[1].Value, CultureInfo.InvariantCulture), 0, 2.9);
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
