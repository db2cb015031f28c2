using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Addresses.Permanent;

/// <summary>A file of our own that gives a host its shared addresses again at every start, in the language of what sets up its interfaces.</summary>
/// <param name="Path">Absolute, on the host.</param>
/// <param name="Text">All of it.</param>
/// <param name="Command">Makes it true without a restart of the host; leaves every other interface alone as far as the tool allows it.</param>
internal sealed record PermanentAddress(string Path, string Text, string Command)
{
    private const string Header = "# The shared addresses of this node, by failoverhub-agent.";
    private const string NetplanFiles = "etc/netplan";
    private const string NetworkdFolder = "etc/systemd/network";
    private const string NetworkdName = "05-failoverhub.network";
    private const string NetworkdPath = $"/{NetworkdFolder}/{NetworkdName}";
    private const string EnabledServices = "etc/systemd/system/multi-user.target.wants";

    // What the guide calls it.
    private const string DummyDevice = "shared";
    private const string NetworkManagerConnection = "failoverhub-shared";

    /// <summary>The interface that has the addresses then.</summary>
    public required string Device { get; init; }

    /// <summary>The file may hold what only root is to read, or its reader insists on it: mode 600.</summary>
    public bool IsPrivate { get; init; }

    /// <summary>What the operator has to know besides, in sentences.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>What sets up the interfaces, by the files that are there. Of several the one whose file certainly reaches loopback.</summary>
    /// <param name="root">Where the file system of the host begins: <c>/</c>.</param>
    public static PermanentKind Find(string root)
    {
        if (HasFile(root, NetplanFiles, "*.yaml"))
        {
            return PermanentKind.Netplan;
        }

        if (HasFile(root, "etc/network", "interfaces") && (HasFile(root, "sbin", "ifup") || HasFile(root, "usr/sbin", "ifup")))
        {
            return PermanentKind.Ifupdown;
        }

        if (HasFile(root, NetworkdFolder, "*.network") || HasFile(root, EnabledServices, "systemd-networkd.service"))
        {
            return PermanentKind.Networkd;
        }

        return HasFile(root, EnabledServices, "NetworkManager.service") || HasFile(root, "usr/sbin", "NetworkManager")
            ? PermanentKind.NetworkManager
            : PermanentKind.Unknown;
    }

    /// <summary>The file for these prefixes; the same for any order of them. Null: there are none, or nobody knows how.</summary>
    /// <param name="kind">What reads the file.</param>
    /// <param name="prefixes">All of the node: the file replaces no other.</param>
    public static PermanentAddress? For(PermanentKind kind, IEnumerable<IPNetwork> prefixes)
    {
        SharedAddress[] addresses = [.. prefixes.Distinct().Order(Comparer<IPNetwork>.Create(SharedPrefix.Compare)).Select(SharedAddress.Of)];
        return addresses.Length == 0 ? null : kind switch
        {
            PermanentKind.Netplan => Netplan(addresses),
            PermanentKind.Ifupdown => Ifupdown(addresses),
            PermanentKind.Networkd => Networkd(addresses),
            PermanentKind.NetworkManager => NetworkManager(addresses),
            _ => null,
        };
    }

    /// <summary>Why a file for this kind would not be read as the host is now; null: nothing is known against it.</summary>
    /// <param name="root">As for <see cref="Find"/>.</param>
    /// <param name="kind">What is to read it.</param>
    public static string? Hindrance(string root, PermanentKind kind) => kind switch
    {
        PermanentKind.Ifupdown when !ReadLines(root, "etc/network/interfaces").Any(ReadsTheFolder) =>
            "/etc/network/interfaces does not read /etc/network/interfaces.d; add the line: source /etc/network/interfaces.d/*",
        PermanentKind.Networkd when NetworkdFiles.ForLoopback(root, NetworkdName) is { } other =>
            $"{other} is about loopback, and systemd-networkd takes only the first file that is; add the lines Address=... to {WhereToAdd(other)}, below [Network].",
        _ => null,
    };

    /// <summary>What the host would lose by this file, in a sentence; null: nothing is known that it would. Then it is not written.</summary>
    /// <param name="root">As for <see cref="Find"/>.</param>
    public string? Harm(string root) => Path == NetworkdPath && NetworkdFiles.ForLoopback(root, NetworkdName) is { } other
        ? $"what {other} gives to loopback would be gone, because systemd-networkd takes only the first file for an interface; add the lines Address=... to {WhereToAdd(other)} by hand, below [Network]."
        : null;

    // Netplan merges all of its files, and the addresses of one interface with each other.
    private static PermanentAddress Netplan(SharedAddress[] addresses) => new(
        "/etc/netplan/60-failoverhub.yaml",
        Lines(
        [
            Header,
            "network:",
            "  version: 2",
            "  ethernets:",
            "    lo:",
            "      match:",
            "        name: lo",
            "      addresses:",
            .. addresses.Select(address => $"        - \"{address}\""),
        ]),
        "netplan apply")
    {
        Device = "lo",
        IsPrivate = true,
    };

    // Several stanzas of one interface and family add up. Its way to apply them, ifdown and ifup, would take loopback away from everybody for a while.
    private static PermanentAddress Ifupdown(SharedAddress[] addresses) => new(
        "/etc/network/interfaces.d/60-failoverhub",
        Lines([Header, .. addresses.SelectMany(address => (string[])["", $"iface lo {(IsIpv4(address) ? "inet" : "inet6")} static", $"    address {address}"])]),
        string.Join(" && ", addresses.Select(address => $"ip addr replace {address} dev lo")))
    {
        Device = "lo",
    };

    // Only the first file that matches an interface counts, in the order of the names.
    private static PermanentAddress Networkd(SharedAddress[] addresses) => new(
        NetworkdPath,
        Lines([Header, "[Match]", "Name=lo", "", "[Network]", .. addresses.Select(address => $"Address={address}")]),
        "networkctl reload")
    {
        Device = "lo",
    };

    // Before its version 1.42 it did not manage loopback, so the guide makes a dummy interface.
    private static PermanentAddress NetworkManager(SharedAddress[] addresses) => new(
        $"/etc/NetworkManager/system-connections/{NetworkManagerConnection}.nmconnection",
        Lines(
        [
            Header,
            "[connection]",
            $"id={NetworkManagerConnection}",
            "type=dummy",
            $"interface-name={DummyDevice}",
            .. Family("ipv4", addresses.Where(IsIpv4)),
            .. Family("ipv6", addresses.Where(address => !IsIpv4(address))),
        ]),
        $"nmcli connection reload && nmcli connection up {NetworkManagerConnection}")
    {
        Device = DummyDevice,
        IsPrivate = true,
        Notes = [$"the addresses are on the interface {DummyDevice} and not on loopback: run the agent with --allifs"],
    };

    private static string[] Family(string name, IEnumerable<SharedAddress> addresses)
    {
        string[] lines = [.. addresses.Select((address, index) => $"address{index + 1}={address}")];
        return ["", $"[{name}]", lines.Length == 0 ? "method=disabled" : "method=manual", .. lines];
    }

    private static bool IsIpv4(SharedAddress address) => address.Address.AddressFamily == AddressFamily.InterNetwork;

    private static string Lines(string[] lines) => new StringBuilder().AppendJoin('\n', lines).Append('\n').ToString();

    // Of two files with one name that in /etc counts, and the others are not the operator's to change.
    private static string WhereToAdd(string file) =>
        $"/{NetworkdFolder}/{System.IO.Path.GetFileName(file)}" is var own && own == file ? "it" : $"a copy of it that has its name, {own}";

    private static bool ReadsTheFolder(string line) =>
        line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is ["source" or "source-directory", var what, ..]
        && what.StartsWith("/etc/network/interfaces.d", StringComparison.Ordinal);

    // What is not there, or not to be read, says nothing.
    private static string[] ReadLines(string root, string path)
    {
        try
        {
            return File.ReadAllLines(System.IO.Path.Combine(root, path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // A link counts by being there: services are switched on by links that lead nowhere when seen from outside.
    private static bool HasFile(string root, string folder, string pattern)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(System.IO.Path.Combine(root, folder), pattern).Any();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
