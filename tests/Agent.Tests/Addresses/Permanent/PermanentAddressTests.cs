using System.Net;
using FailoverHub.Agent.Addresses.Permanent;

namespace FailoverHub.Agent.Tests.Addresses.Permanent;

public sealed class PermanentAddressTests : IDisposable
{
    private static readonly IPNetwork[] _prefixes = [IPNetwork.Parse("2001:db8:e002:1b00::/56"), IPNetwork.Parse("203.0.113.10/32"), IPNetwork.Parse("2001:db8:e001:1b8c::/64")];

    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("Netplan", "etc/netplan/50-cloud-init.yaml", "etc/network/interfaces", "usr/sbin/ifup", "usr/sbin/NetworkManager")]
    [InlineData("Ifupdown", "etc/network/interfaces", "usr/sbin/ifup", "usr/sbin/NetworkManager", "etc/netplan/")]
    [InlineData("Ifupdown", "etc/network/interfaces", "sbin/ifup", "etc/systemd/network/")]
    [InlineData("Networkd", "etc/systemd/network/05-eth0.network", "usr/sbin/NetworkManager")]
    [InlineData("Networkd", "etc/network/interfaces", "etc/systemd/system/multi-user.target.wants/systemd-networkd.service")]
    [InlineData("NetworkManager", "usr/sbin/NetworkManager", "etc/systemd/network/")]
    [InlineData("NetworkManager", "etc/systemd/system/multi-user.target.wants/NetworkManager.service")]
    [InlineData("Unknown", "etc/network/interfaces", "etc/netplan/README")]
    [InlineData("Unknown")]
    public void Find_GoesByTheFilesOfTheHost(string kind, params string[] files)
    {
        foreach (var file in files)
        {
            Have(file);
        }

        Assert.Equal(kind, PermanentAddress.Find(_root.Root).ToString());
    }

    [Fact]
    public void Find_AServiceThatIsSwitchedOnByALink_Counts()
    {
        Have("etc/systemd/system/multi-user.target.wants/");
        File.CreateSymbolicLink(_root.At("etc/systemd/system/multi-user.target.wants/systemd-networkd.service"), "/nowhere/systemd-networkd.service");

        Assert.Equal(PermanentKind.Networkd, PermanentAddress.Find(_root.Root));
    }

    [Fact]
    public void Netplan_AddsTheAddressesToLoopback()
    {
        var permanent = PermanentAddress.For(PermanentKind.Netplan, _prefixes)!;

        Assert.Equal("/etc/netplan/60-failoverhub.yaml", permanent.Path);
        Assert.Equal(
            """
            # The shared addresses of this node, by failoverhub-agent.
            network:
              version: 2
              ethernets:
                lo:
                  match:
                    name: lo
                  addresses:
                    - "203.0.113.10/32"
                    - "2001:db8:e001:1b8c::1/64"
                    - "2001:db8:e002:1b00::1/56"

            """,
            permanent.Text);
        Assert.Equal("netplan apply", permanent.Command);
        Assert.True(permanent.IsPrivate);
    }

    [Fact]
    public void Ifupdown_HasAStanzaForEachAddress_AndIsAppliedWithoutTakingLoopbackDown()
    {
        var permanent = PermanentAddress.For(PermanentKind.Ifupdown, _prefixes)!;

        Assert.Equal("/etc/network/interfaces.d/60-failoverhub", permanent.Path);
        Assert.Equal(
            """
            # The shared addresses of this node, by failoverhub-agent.

            iface lo inet static
                address 203.0.113.10/32

            iface lo inet6 static
                address 2001:db8:e001:1b8c::1/64

            iface lo inet6 static
                address 2001:db8:e002:1b00::1/56

            """,
            permanent.Text);
        Assert.Equal("ip addr replace 203.0.113.10/32 dev lo && ip addr replace 2001:db8:e001:1b8c::1/64 dev lo && ip addr replace 2001:db8:e002:1b00::1/56 dev lo", permanent.Command);
    }

    [Fact]
    public void Networkd_HasAFileForLoopback()
    {
        var permanent = PermanentAddress.For(PermanentKind.Networkd, _prefixes)!;

        Assert.Equal("/etc/systemd/network/05-failoverhub.network", permanent.Path);
        Assert.Equal(
            """
            # The shared addresses of this node, by failoverhub-agent.
            [Match]
            Name=lo

            [Network]
            Address=203.0.113.10/32
            Address=2001:db8:e001:1b8c::1/64
            Address=2001:db8:e002:1b00::1/56

            """,
            permanent.Text);
        Assert.Equal("networkctl reload", permanent.Command);
    }

    [Fact]
    public void NetworkManager_HasADummyInterface_AndSaysThatAllInterfacesHaveToBeLookedAt()
    {
        var permanent = PermanentAddress.For(PermanentKind.NetworkManager, [_prefixes[1]])!;

        Assert.Equal("/etc/NetworkManager/system-connections/failoverhub-shared.nmconnection", permanent.Path);
        Assert.Equal(
            """
            # The shared addresses of this node, by failoverhub-agent.
            [connection]
            id=failoverhub-shared
            type=dummy
            interface-name=shared

            [ipv4]
            method=manual
            address1=203.0.113.10/32

            [ipv6]
            method=disabled

            """,
            permanent.Text);
        Assert.Equal("shared", permanent.Device);
        Assert.Contains("--allifs", Assert.Single(permanent.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void NobodyKnowsHow_OrThereIsNothing_ThereIsNoFile()
    {
        Assert.Null(PermanentAddress.For(PermanentKind.Unknown, _prefixes));
        Assert.Null(PermanentAddress.For(PermanentKind.Netplan, []));
    }

    [Theory]
    [InlineData("source /etc/network/interfaces.d/*", true)]
    [InlineData("source-directory  /etc/network/interfaces.d", true)]
    [InlineData("# source /etc/network/interfaces.d/*", false)]
    [InlineData("auto lo", false)]
    public void Ifupdown_FolderThatIsNotRead_IsAHindrance(string line, bool isRead)
    {
        Have("etc/network/interfaces", $"auto lo\niface lo inet loopback\n{line}\n");

        Assert.Equal(isRead, PermanentAddress.Hindrance(_root.Root, PermanentKind.Ifupdown) is null);
    }

    /// <summary>Only the first file for an interface counts: ours was written in front of the host's own, whose addresses were gone with the next reload.</summary>
    [Theory]
    [InlineData("etc/systemd/network/01-lo.network", "[Match]\nName=lo\n")]
    [InlineData("etc/systemd/network/10-lo.network", "[Match]\nName=lo\n\n[Network]\nAddress=198.51.100.7/32\n")]
    [InlineData("run/systemd/network/10-netplan-lo.network", "[Match]\nName=lo\n")]
    [InlineData("usr/lib/systemd/network/90-lo.network", "# ours\n[Match]\nName = dummy0 l*\n")]
    [InlineData("etc/systemd/network/20-all.network", "[Match]\nType=loopback\n")]
    public void Networkd_AnotherFileForLoopback_IsAHindrance_AndNothingIsWritten(string file, string text)
    {
        Have(file, text);

        Assert.Contains($"/{file} is about loopback", PermanentAddress.Hindrance(_root.Root, PermanentKind.Networkd), StringComparison.Ordinal);
        var refused = Assert.IsType<PermanentOutcome.Refused>(PermanentFile.Write(_root.Root, PermanentAddress.For(PermanentKind.Networkd, _prefixes)!));
        Assert.StartsWith($"what /{file} gives to loopback would be gone", refused.Problem, StringComparison.Ordinal);
        Assert.Contains(file.StartsWith("etc/", StringComparison.Ordinal) ? "to it by hand" : $"its name, /etc/systemd/network/{Path.GetFileName(file)} by hand", refused.Problem, StringComparison.Ordinal);
        Assert.False(File.Exists(_root.At("etc/systemd/network/05-failoverhub.network")));
    }

    [Theory]
    [InlineData("etc/systemd/network/01-eth0.network", "[Match]\nName=eth0\n")]
    [InlineData("etc/systemd/network/01-wired.network", "[Match]\nType=ether\nName=*\n")]
    [InlineData("etc/systemd/network/01-not.network", "[Match]\nName=!lo\n")]
    [InlineData("etc/systemd/network/01-all.network", "[Match]\nName=*\n\n[Network]\nDHCP=yes\n")]
    [InlineData("etc/systemd/network/01-eth0.network", "[Match]\nMACAddress=f2:3c:91:00:00:01\n\n[Route]\nName=lo\n")]
    [InlineData("etc/systemd/network/10-lo.netdev", "[Match]\nName=lo\n")]
    public void Networkd_FileThatIsAboutSomethingElse_IsNoHindrance(string file, string text)
    {
        Have(file, text);

        Assert.Null(PermanentAddress.Hindrance(_root.Root, PermanentKind.Networkd));
        Assert.IsType<PermanentOutcome.Written>(PermanentFile.Write(_root.Root, PermanentAddress.For(PermanentKind.Networkd, _prefixes)!));

        // And our own does not stand in its own way.
        Assert.IsType<PermanentOutcome.AlreadyThere>(PermanentFile.Write(_root.Root, PermanentAddress.For(PermanentKind.Networkd, _prefixes)!));
    }

    [Fact]
    public void Networkd_FileThatIsMaskedByItsName_IsNoHindrance()
    {
        Have("usr/lib/systemd/network/80-lo.network", "[Match]\nName=lo\n");
        Have("etc/systemd/network/80-lo.network");

        Assert.Null(PermanentAddress.Hindrance(_root.Root, PermanentKind.Networkd));
    }

    [Fact]
    public void Write_MakesTheFile_OnceIsEnough()
    {
        var permanent = PermanentAddress.For(PermanentKind.Netplan, _prefixes)!;

        Assert.Equal(new PermanentOutcome.Written(permanent.Path), PermanentFile.Write(_root.Root, permanent));
        Assert.Equal(new PermanentOutcome.AlreadyThere(permanent.Path), PermanentFile.Write(_root.Root, permanent));

        var written = _root.At("etc/netplan/60-failoverhub.yaml");
        Assert.Equal(permanent.Text, File.ReadAllText(written));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(written));
        Assert.Single(Directory.EnumerateFileSystemEntries(_root.At("etc/netplan")));
    }

    [Fact]
    public void Write_FileWithOtherLines_IsLeftAsItIs()
    {
        Have("etc/netplan/60-failoverhub.yaml", "network: {}\n");

        var refused = Assert.IsType<PermanentOutcome.Refused>(PermanentFile.Write(_root.Root, PermanentAddress.For(PermanentKind.Netplan, _prefixes)!));

        Assert.Contains("other lines", refused.Problem, StringComparison.Ordinal);
        Assert.Equal("network: {}\n", File.ReadAllText(_root.At("etc/netplan/60-failoverhub.yaml")));
    }

    [Fact]
    public void Write_FolderThatCannotBe_IsRefusedWithAReason()
    {
        Have("etc/netplan", "a file where the folder should be");

        var refused = Assert.IsType<PermanentOutcome.Refused>(PermanentFile.Write(_root.Root, PermanentAddress.For(PermanentKind.Netplan, _prefixes)!));

        Assert.Contains("/etc/netplan/60-failoverhub.yaml cannot be written", refused.Problem, StringComparison.Ordinal);
    }

    // A name that ends with a slash is a folder.
    private void Have(string path, string text = "")
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root.At(path))!);
        if (!path.EndsWith('/'))
        {
            File.WriteAllText(_root.At(path), text);
        }
    }
}
