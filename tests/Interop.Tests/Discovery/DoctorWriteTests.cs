using System.Text.Json.Nodes;
using FailoverHub.Interop.Tests.Harness;
using FailoverHub.Interop.Tests.Nodes;
using FailoverHub.Interop.Tests.RouteServers;

namespace FailoverHub.Interop.Tests.Discovery;

/// <summary>
/// <c>doctor --write</c> as root calls it, in an /etc of the test's own: Debian's netplan, ifupdown and NetworkManager read what it has written, and what is
/// somebody else's stays as it was.
/// </summary>
public sealed class DoctorWriteTests : DataCenterTest
{
    private const string Netplan = "/etc/netplan/60-failoverhub.yaml";
    private static readonly string[] _hosts = ["203.0.113.10/32", "2001:db8:e001:1b8c::1/64", "2001:db8:e002:1b00::1/56"];
    private static readonly string[] _announce = [.. Addresses.Shared.SelectMany(prefix => (string[])["--announce", prefix])];

    private static string Node => Addresses.NodeNetwork("a");

    [Theory]
    [InlineData(0, 3)]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    public async Task Netplan_TakesItTogetherWithTheFileOfTheHost(int first, int count)
    {
        await StartWithNetplanAsync();

        var written = await WriteAsync(first, count);

        Assert.Equal(("netplan", Netplan, "netplan apply"), ((string)written["kind"]!, (string)written["path"]!, (string)written["apply"]!));
        await RunAsync("mkdir -p /run/root/etc && cp -a /etc/netplan /run/root/etc/ && netplan generate --root-dir /run/root");
        var made = await Center.Sandbox.ReadAsync("/run/root/run/systemd/network/10-netplan-lo.network", Cancellation);
        Assert.Contains("Name=lo", made, StringComparison.Ordinal);
        Assert.Equal(_hosts[first..(first + count)], made.Split('\n').Where(line => line.StartsWith("Address=", StringComparison.Ordinal)).Select(line => line[8..]));

        // That of the host says the same as before.
        Assert.Contains("DHCP=ipv4", await Center.Sandbox.ReadAsync("/run/root/run/systemd/network/10-netplan-eth1.network", Cancellation), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    public async Task Ifupdown_GivesLoopbackTheAddressesAtTheStartOfTheMachine(int first, int count)
    {
        await StartWithOwnEtcAsync("rm -rf /etc/netplan/*; printf 'auto lo\\niface lo inet loopback\\n\\nsource /etc/network/interfaces.d/*\\n' >/etc/network/interfaces; rm -f /etc/network/interfaces.d/*");

        var written = await WriteAsync(first, count);

        Assert.Equal(("ifupdown", "/etc/network/interfaces.d/60-failoverhub"), ((string)written["kind"]!, (string)written["path"]!));
        await RunAsync("ifup --no-act --no-scripts --force --state-dir /run lo");

        // And once for real, as the machine does when it starts: the node had one of them by hand.
        await RunAsync($"ip addr flush dev lo scope global; ip -6 addr flush dev lo scope global; mkdir -p /run/network; ifup --no-scripts --force --all");
        Assert.Equal(_hosts[first..(first + count)].Order(), (await OnLoopbackAsync()).Order());

        // What is said for now, without a restart, says the same.
        await RunAsync($"ip addr flush dev lo scope global; ip -6 addr flush dev lo scope global; {(string)written["apply"]!}");
        Assert.Equal(_hosts[first..(first + count)].Order(), (await OnLoopbackAsync()).Order());
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    public async Task NetworkManager_ReadsAConnectionOfTheDummyInterface_AndMissesNothing(int first, int count)
    {
        await StartWithOwnEtcAsync("rm -rf /etc/netplan/* /etc/network/interfaces /etc/systemd/network/*; mkdir -p /etc/systemd/system/multi-user.target.wants; rm -f /etc/systemd/system/multi-user.target.wants/systemd-networkd.service; ln -s /nowhere/NetworkManager.service /etc/systemd/system/multi-user.target.wants/NetworkManager.service");

        var written = await WriteAsync(first, count);

        Assert.Equal(("network-manager", "/etc/NetworkManager/system-connections/failoverhub-shared.nmconnection"), ((string)written["kind"]!, (string)written["path"]!));
        var file = Center.Sandbox.Outside((string)written["path"]!);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        var read = NetworkManagerKeyfile.Read(file);
        Assert.Empty(read.Warnings);
        Assert.Equal(("failoverhub-shared", "dummy", "shared"), (read.Name, read.Kind, read.Device));
        Assert.Equal(_hosts[first..(first + count)], read.Addresses);
    }

    [Fact]
    public async Task WrittenOnce_TheNextTimeNothingIsLeftToDo()
    {
        await StartWithNetplanAsync();
        await WriteAsync(0, 3);
        var before = File.GetLastWriteTimeUtc(Center.Sandbox.Outside(Netplan));

        var (_, said) = await DoctorAsync(["--write", .. _announce]);

        Assert.Null(said["permanent"]);
        Assert.Equal(before, File.GetLastWriteTimeUtc(Center.Sandbox.Outside(Netplan)));
    }

    [Theory]
    [InlineData("other lines")]
    [InlineData("link")]
    [InlineData("dead link")]
    [InlineData("folder")]
    [InlineData("read-only")]
    [InlineData("not root")]
    public async Task Refused_NothingIsChanged_TheLinesAreSaid_AndItExitsWith1(string what)
    {
        var (before, why) = what switch
        {
            "other lines" => ($"printf 'network: {{}}\\n' >{Netplan}", "is there with other lines and is left as it is"),
            "link" => ($"printf 'mine\\n' >/run/mine; ln -s /run/mine {Netplan}", "is there with other lines and is left as it is"),
            "dead link" => ($"ln -s /run/nowhere {Netplan}", "cannot be read as a file, and is left as it is"),
            "folder" => ($"mkdir {Netplan}", "cannot be read as a file, and is left as it is"),
            "read-only" => ("mount --bind /etc/netplan /etc/netplan && mount -o remount,bind,ro /etc/netplan", "cannot be written (Read-only file system"),
            _ => ("true", "run it as root, or write the file by hand"),
        };
        await StartWithNetplanAsync();
        await RunAsync(before);
        var there = await StateOfAsync();

        // Who is not root may read everything here, so that it fails where it would write, and not because its own program is out of its reach.
        string[] nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search", "--"];
        var (code, said) = await DoctorAsync(["--write", .. _announce], what == "not root" ? nobody : []);

        var permanent = said["permanent"]!;
        Assert.Equal((1, "refused"), (code, (string)permanent["outcome"]!));
        Assert.Contains(why, (string)permanent["problem"]!, StringComparison.Ordinal);
        Assert.Contains("2001:db8:e001:1b8c::1/64", (string)permanent["text"]!, StringComparison.Ordinal);
        Assert.Equal(there, await StateOfAsync());
        Assert.False(File.Exists(Center.Sandbox.Outside("/run/nowhere")));
    }

    [Fact]
    public async Task KilledAtAnyOfItsCalls_ThereIsAWholeFileOrNone_AndTheNextTimeItIsThere()
    {
        await StartWithNetplanAsync();
        await WriteAsync(0, 3);
        var whole = await Center.Sandbox.ReadAsync(Netplan, Cancellation);
        var killer = await Killer.MakeAsync(Center.Sandbox, "/etc/netplan", Cancellation);
        string[] under = ["env", .. killer.Environment.Select(entry => $"{entry.Key}={entry.Value}"), .. Killer.Command];
        HashSet<string> points = [];
        for (var call = 1; ; call++)
        {
            File.Delete(Center.Sandbox.Outside(Netplan));
            await killer.ArmAsync(call, Cancellation);
            await RunDoctorAsync(["--write", .. _announce], under);
            var (_, at) = await killer.DisarmAsync(Cancellation);
            if (at.Length == 0)
            {
                break;
            }

            points.Add(at.Split(' ')[0]);
            Assert.Contains(await Center.Sandbox.ReadAsync(Netplan, Cancellation), (string[])["", whole]);

            // Also beside what the killed one has left: a name that none of the readers looks at.
            await RunAsync("rm -rf /run/root; mkdir -p /run/root/etc && cp -a /etc/netplan /run/root/etc/ && netplan generate --root-dir /run/root");
            await DoctorAsync(["--write", .. _announce]);
            Assert.Equal(whole, await Center.Sandbox.ReadAsync(Netplan, Cancellation));
        }

        Assert.Superset(new HashSet<string> { "create", "write", "fsync", "link" }, points);
    }

    // Ubuntu's way, with a file of the host beside ours.
    private Task StartWithNetplanAsync() => StartWithOwnEtcAsync(
        "rm -rf /etc/netplan/*; printf 'network:\\n  version: 2\\n  ethernets:\\n    eth1:\\n      dhcp4: true\\n' >/etc/netplan/50-cloud-init.yaml; chmod 600 /etc/netplan/50-cloud-init.yaml");

    // Nothing that is written there is seen outside of the sandbox.
    private async Task StartWithOwnEtcAsync(string script)
    {
        var center = await StartOneAsync(RouteServerKind.Bird);
        await center.Sandbox.ScriptAsync($"mkdir /run/etc && mount -t tmpfs tmpfs /run/etc && cp -a /etc/. /run/etc/ && mount --move /run/etc /etc && mkdir -p /etc/netplan /etc/network/interfaces.d /etc/systemd/network && {script}", Cancellation);
    }

    private async Task<JsonNode> WriteAsync(int first, int count)
    {
        // The one that is on the node's loopback counts as well, as long as it is there.
        await RunAsync("ip addr flush dev lo scope global");
        var (code, said) = await DoctorAsync(["--write", .. _announce[(first * 2)..((first + count) * 2)]]);
        var permanent = said["permanent"]!;
        Assert.Equal(("written", (string?)null), ((string)permanent["outcome"]!, (string?)permanent["problem"]));
        Assert.Equal((string)permanent["text"]!, await Center.Sandbox.ReadAsync((string)permanent["path"]!, Cancellation));
        Assert.InRange(code, 0, 1);
        return permanent;
    }

    private async Task<(int Code, JsonNode Said)> DoctorAsync(string[] flags, string[]? under = null)
    {
        var said = await RunDoctorAsync(flags, under ?? []);
        return (said.ExitCode, JsonNode.Parse(said.ExitCode is 0 or 1 ? said.Output : said.Checked())!);
    }

    private Task<CommandOutput> RunDoctorAsync(string[] flags, string[] under) => Center.Sandbox.RunAsync(
        Node,
        [.. under, "env", $"DOTNET_ROOT={Agent.Runtime}", BuiltPaths.AgentExecutable, "doctor", "--json", "--metadata", "off", "--neighbor", Center.RouteServers[0].Address, "--state", "/run/state-a", .. flags],
        Cancellation);

    private async Task RunAsync(string script) => _ = (await Center.Sandbox.RunAsync(Node, ["sh", "-ec", script], Cancellation)).Checked();

    // Names, kinds, modes, owners, links and contents.
    private async Task<string> StateOfAsync() => (await Center.Sandbox.RunAsync(
        null, ["sh", "-ec", "find /etc/netplan /run/mine -printf '%p %y %m %u %l %s\\n' 2>/dev/null | sort; find /etc/netplan /run/mine -type f -exec cat {} + 2>/dev/null || true"], Cancellation)).Checked();

    private async Task<string[]> OnLoopbackAsync()
    {
        var lines = (await Center.Sandbox.RunAsync(Node, ["ip", "-o", "addr", "show", "dev", "lo", "scope", "global"], Cancellation)).Checked().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3])];
    }
}
