using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Configuration.Layers;
using FailoverHub.Agent.Discovery;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Prefixes;
using FailoverHub.Bgp.Messages;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Configuration;

/// <summary>
/// From typed strings to <see cref="AgentOptions"/>. Goes through everything and keeps every error, each naming its flag and what to do,
/// so that a command line is corrected in one go.
/// </summary>
internal sealed class AgentOptionsReader
{
    public const string DefaultStateDirectory = "/var/lib/failoverhub-agent";

    private readonly RawArguments _raw;
    private readonly string _hostName;
    private readonly ConfigurationFile _file;
    private readonly FlagErrors _errors;
    private readonly List<string> _warnings = [];

    private readonly HubIdentity? _joined;

    private AgentOptionsReader(RawArguments raw, ConfigurationFile file, string hostName, HubIdentity? joined)
    {
        _joined = joined;
        _raw = raw;
        _file = file;
        _errors = new FlagErrors(raw.Keys);
        _hostName = hostName;
    }

    /// <summary>Without a file.</summary>
    public static (AgentOptions? Options, ImmutableArray<string> Errors) Read(RawArguments raw, string hostName) => Read(raw, new ConfigurationFile(), hostName);

    /// <summary>Either options, or at least one error.</summary>
    /// <param name="raw">The flags, of whichever layer.</param>
    /// <param name="file">For what no flag can say.</param>
    /// <param name="hostName">Name of the node unless one is given.</param>
    /// <param name="joined">What a join has given this node.</param>
    public static (AgentOptions? Options, ImmutableArray<string> Errors) Read(RawArguments raw, ConfigurationFile file, string hostName, HubIdentity? joined = null)
    {
        var reader = new AgentOptionsReader(raw, file, hostName, joined);
        var options = reader.Read();
        return reader._errors.Sentences.Count == 0 ? (options, []) : (null, [.. reader._errors.Sentences]);
    }

    /// <summary>The socket of the control as it was given, or the one in the state directory.</summary>
    public static string ControlSocketPath(string? control, string? state) =>
        string.IsNullOrWhiteSpace(control) ? Path.Combine(StateDirectory(state), "control.sock") : Path.GetFullPath(control);

    /// <summary>The state directory as it was given, or the usual one; absolute.</summary>
    public static string StateDirectory(string? state) => string.IsNullOrWhiteSpace(state) ? DefaultStateDirectory : Path.GetFullPath(state);

    private AgentOptions Read()
    {
        var dataCenter = ReadDataCenter();
        var announce = ReadAnnounce();
        var reading = new HubOptionsReader(_raw, _errors, _joined);
        var (hub, trust) = (reading.ReadHub(), reading.ReadTrust());
        var role = ReadRole();
        var (localIpv4, localIpv6) = ReadLocalAddresses();
        var holdTime = ReadHoldTime();
        var metadata = ReadMetadata();
        var port = (int)_errors.Number("--neighbor-port", _raw.NeighborPort, NeighborEndpoint.DefaultPort, 1, 65535, "a TCP port");
        var options = new AgentOptions
        {
            Node = ReadNode(),
            Neighbors = ReadNeighbors(dataCenter, port, !metadata.IsEmpty),
            Metadata = metadata,
            MetadataIsGiven = _raw.Metadata is not null,
            NeighborPattern = _raw.NeighborPattern ?? NeighborPattern.Default,
            NeighborPort = port,
            DataCenter = dataCenter,
            LocalIpv4 = localIpv4,
            LocalIpv6 = localIpv6,
            RouterId = ReadRouterId(),
            DefaultRole = role,
            Announce = announce,
            AllInterfaces = _raw.AllInterfaces,
            Ipv6Length = _raw.Send56 ? 56 : 64,
            Addresses = AddressOptionsReader.Read(_raw, _errors),
            MultihopTtl = (int)_errors.Number("--multihopttl", _raw.MultihopTtl, 16, 1, 255, "the number of hops that the packets of a session may take"),
            HoldTime = holdTime,
            LocalAs = (uint)_errors.Number("--local-as", _raw.LocalAs, 65001, 1, uint.MaxValue, "an AS number"),
            PeerAs = (uint)_errors.Number("--peer-as", _raw.PeerAs, 65000, 1, uint.MaxValue, "an AS number"),
            Hub = hub,
            HubTrust = trust,
            Joined = _joined,
            Protocol = new ProtocolOptionsReader(_raw, _errors).Read(holdTime),
            Damping = ReadSwitch("--damping", _raw.Damping),
            Failback = ReadFailback(),
            Checks = _file.Checks,
            Limits = _file.Limits,
            StateDirectory = StateDirectory(_raw.State),
            ControlSocket = ControlSocketPath(_raw.Control, _raw.State),
            Metrics = ReadMetrics(),
            IdentityPort = (int)_errors.Number("--identity-port", _raw.IdentityPort, AgentOptions.DefaultIdentityPort, 0, 65535, "a UDP port, or 0 for none"),
            Probing = ReadSwitch("--probing", _raw.Probing),
            LogLevel = ReadLogLevel(),
            LogJson = _raw.LogJson,
            NeedsStoredIntent = role is null && hub is null && !_raw.Primary && !_raw.Secondary && (announce.IsEmpty || announce.Any(prefix => prefix.Role is null)),
        };
        return options with { Warnings = [.. _warnings] };
    }

    private string ReadNode()
    {
        var name = _raw.Node ?? _hostName;
        if (!NodeName.IsValid(name))
        {
            _errors.Add($"--node: '{name}' cannot be the name of a node; give one of at most 63 letters, digits, '.', '-' and '_'.");
        }

        return name;
    }

    private int? ReadDataCenter()
    {
        if (_raw.DataCenter is null)
        {
            return null;
        }

        // Written in decimal into one hextet, so four digits are the most there can be; the vendor's client refuses 0 and 1.
        if (!int.TryParse(_raw.DataCenter, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id is < 2 or > 9999)
        {
            _errors.Add($"--dcid: '{_raw.DataCenter}' is no data center id; give the decimal number of your data center, 2 to 9999 (Chicago is 18).");
            return null;
        }

        switch (DataCenters.Find(id))
        {
            case null:
                _warnings.Add($"data center id {id} is not known to this version; its route servers are dialled all the same");
                break;
            case { Warning: { } warning } known:
                _warnings.Add($"data center {known.Name}: {warning}");
                break;
        }

        return id;
    }

    // With neighbors given by hand this is hardly a machine of the platform: the service is asked only where that was asked for.
    private ImmutableArray<Uri> ReadMetadata()
    {
        if (_raw.Metadata is null)
        {
            return _raw.Neighbors.IsEmpty ? MetadataEndpoints.Platform : [];
        }

        if (!MetadataEndpoints.TryParse(_raw.Metadata, out var endpoints))
        {
            _errors.Add($"--metadata: '{_raw.Metadata}' is no address of a metadata service; give http://ADDR[:PORT], such as http://169.254.169.254, or off.");
        }

        return endpoints;
    }

    private ImmutableArray<NeighborEndpoint> ReadNeighbors(int? dataCenter, int port, bool discovers)
    {
        var neighbors = new List<NeighborEndpoint>();
        foreach (var text in _errors.Each("--neighbor", _raw.Neighbors))
        {
            if (!NeighborEndpoint.TryParse(text, port, out var neighbor, out var misread))
            {
                _errors.Add(misread is null ? $"--neighbor: '{text}' is no address; give ADDR, IPV4:PORT or [IPV6]:PORT." : Misread("--neighbor", text, misread));
            }
            else if (neighbors.Contains(neighbor))
            {
                _errors.Add($"--neighbor: {neighbor} is given twice; give each neighbor once.");
            }
            else
            {
                neighbors.Add(neighbor);
            }
        }

        // Neighbors given by hand replace those of the data center: a lab must not dial the real ones as well.
        if (!_raw.Neighbors.IsEmpty)
        {
            return [.. neighbors];
        }

        if (_raw.DataCenter is null && !discovers)
        {
            _errors.Add("--dcid: not given, no --neighbor either, and the metadata service is not asked; give --dcid with the id of your data center, or at least one --neighbor.");
            return [];
        }

        // Where the metadata service is to tell the data center the pattern is tried all the same: what is wrong with it is said now.
        var pattern = _raw.NeighborPattern ?? NeighborPattern.Default;
        if (NeighborPattern.TryExpand(pattern, dataCenter ?? 2, port, out var expanded))
        {
            return _raw.DataCenter is null ? [] : expanded;
        }

        _errors.Add($"--neighborpattern: '{pattern}' gives no IPv6 address; give one with two places %d, for the data center id and the number of the route server, such as {NeighborPattern.Default}.");
        return [];
    }

    private (IPAddress? Ipv4, IPAddress? Ipv6) ReadLocalAddresses()
    {
        IPAddress? ipv4 = null;
        IPAddress? ipv6 = null;
        foreach (var text in _errors.Each("--local-address", _raw.LocalAddresses))
        {
            if (!NeighborEndpoint.TryParse(text, NeighborEndpoint.DefaultPort, out var parsed, out var misread) || parsed.Port != NeighborEndpoint.DefaultPort)
            {
                _errors.Add(misread is null ? $"--local-address: '{text}' is no address; give an IPv4 or IPv6 address of this node." : Misread("--local-address", text, misread));
                continue;
            }

            ref var slot = ref parsed.Address.AddressFamily == AddressFamily.InterNetworkV6 ? ref ipv6 : ref ipv4;
            if (slot is not null)
            {
                _errors.Add($"--local-address: {slot} and {text} are of the same family; give at most one IPv4 and one IPv6 address.");
            }

            slot = parsed.Address;
        }

        return (ipv4, ipv6);
    }

    private RouterId? ReadRouterId()
    {
        if (_raw.RouterId is null)
        {
            return null;
        }

        if (RouterId.TryParse(_raw.RouterId, out var routerId))
        {
            if (routerId.ToString() != _raw.RouterId)
            {
                _errors.Add($"--router-id: '{_raw.RouterId}' would be read as {routerId}; give {routerId} if that is meant, without leading zeros.");
            }

            return routerId;
        }

        _errors.Add($"--router-id: '{_raw.RouterId}' is no router id; give four numbers such as 192.0.2.1, another one on each node.");
        return null;
    }

    private Role? ReadRole()
    {
        if (_raw is { Primary: true, Secondary: true })
        {
            _errors.Add("--primary and --secondary are both given; give one of them, or a role with each prefix: --announce PREFIX=primary.");
            return null;
        }

        return _raw.Primary ? Role.Primary : _raw.Secondary ? Role.Secondary : null;
    }

    private ImmutableArray<ConfiguredPrefix> ReadAnnounce()
    {
        if (_raw.Announce.IsEmpty && _file.Prefixes is { } listed)
        {
            return listed;
        }

        var prefixes = ImmutableArray.CreateBuilder<ConfiguredPrefix>();
        var seen = new HashSet<IPNetwork>();
        foreach (var text in _errors.Each("--announce", _raw.Announce))
        {
            var (prefixText, roleText) = text.Split('=', 2) is [var left, var right] ? (left, right) : (text, null);
            Role? role = null;
            if (roleText is not null)
            {
                if (!RoleWords.TryParse(roleText, out var parsedRole))
                {
                    _errors.Add($"--announce: '{roleText}' in '{text}' is no role; write {prefixText}=primary or {prefixText}=secondary.");
                }

                role = parsedRole;
            }

            if (!SharedPrefix.TryParse(prefixText, out var prefix, out var problem))
            {
                _errors.Add($"--announce: {problem}");
            }
            else if (!seen.Add(prefix))
            {
                _errors.Add($"--announce: {prefix} is given twice; give each prefix once.");
            }
            else
            {
                prefixes.Add(new ConfiguredPrefix(prefix, role));
            }
        }

        return prefixes.ToImmutable();
    }

    private static string Misread(string flag, string text, IPAddress misread) =>
        $"{flag}: '{text}' would be read as {misread}; give {misread} if that is meant, and write IPv4 addresses without leading zeros.";

    private HoldTime ReadHoldTime()
    {
        var seconds = _errors.Number("--hold-time", _raw.HoldTime, 9, 0, ushort.MaxValue, "seconds, 0 or 3 and up");
        if (HoldTime.IsAcceptable((int)seconds))
        {
            return new HoldTime((ushort)seconds);
        }

        _errors.Add($"--hold-time: {seconds} is not allowed by BGP; give 0 (no keepalives) or at least 3 seconds.");
        return new HoldTime(9);
    }

    private FailbackOptions ReadFailback()
    {
        var policy = FailbackPolicy.Immediate;
        if (_raw.Failback is not null && !FailbackPolicyWords.TryParse(_raw.Failback, out policy))
        {
            _errors.Add($"--failback: '{_raw.Failback}' is no failback policy; give immediate, after-stable, manual or sticky.");
        }

        var seconds = _errors.Number("--failback-stable", _raw.FailbackStable, 60, 1, (long)FailbackOptions.LongestStable.TotalSeconds, "seconds without a break");
        return new FailbackOptions { Policy = policy, StableFor = TimeSpan.FromSeconds(seconds) };
    }

    // On unless it is switched off.
    private bool ReadSwitch(string flag, string? given)
    {
        if (given is not (null or "on" or "off"))
        {
            _errors.Add($"{flag}: '{given}' is neither; give on or off.");
        }

        return given != "off";
    }

    private IPEndPoint? ReadMetrics()
    {
        if (_raw.Metrics is null)
        {
            return null;
        }

        var (address, problem) = MetricsAddress.Read(_raw.Metrics);
        if (address is null)
        {
            _errors.Add($"--metrics: {problem}");
        }
        else if (MetricsAddress.Warning(address) is { } warning)
        {
            _warnings.Add(warning);
        }

        return address;
    }

    private LogLevel ReadLogLevel()
    {
        switch (_raw.LogLevel?.ToUpperInvariant())
        {
            case null or "" or "INFO":
                return LogLevel.Information;
            case "TRACE":
                return LogLevel.Trace;
            case "DEBUG":
                return LogLevel.Debug;
            case "WARN" or "WARNING":
                return LogLevel.Warning;
            case "ERROR":
                return LogLevel.Error;
            default:
                // As the vendor's client: a command line that started there must start here.
                _warnings.Add($"log level '{_raw.LogLevel}' is not known, info is used; --loglevel takes trace, debug, info, warn or error");
                return LogLevel.Information;
        }
    }
}
