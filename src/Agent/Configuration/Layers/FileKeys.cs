using System.Collections.Immutable;

namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>What a key of the file may hold.</summary>
internal enum FileShape
{
    Text,

    /// <summary>Read as if it had been typed behind the flag, which says whether it is whole and in range.</summary>
    Number,

    TextOrNumber,

    Switch,

    /// <summary>A switch, for a flag that takes <c>on</c> or <c>off</c>.</summary>
    OnOff,

    Texts,
}

/// <summary>A key of the file that is the same as a flag.</summary>
/// <param name="Path">With a dot behind the name of its section: <c>session.holdTime</c>.</param>
/// <param name="Flag">With two dashes.</param>
/// <param name="Shape">What it holds.</param>
internal sealed record FileKey(string Path, string Flag, FileShape Shape)
{
    /// <summary>The only words that it may be; empty: any.</summary>
    public ImmutableArray<string> Words { get; init; } = [];
}

/// <summary>Every key of the configuration file. A test holds the published schema and this together.</summary>
internal static class FileKeys
{
    public const string Role = "role";
    public const string Prefixes = "prefixes";
    public const string Checks = "checks";
    public const string Failback = "failback";
    public const string Limits = "limits";

    /// <summary>Editors find the schema by it; nobody else looks at it.</summary>
    public const string Schema = "$schema";

    public static readonly ImmutableArray<string> OfFailback = ["policy", "stableFor"];

    public static readonly ImmutableArray<string> OfLimits = ["drain", "promote", "demote"];

    public static readonly ImmutableArray<string> OfPrefix = ["prefix", "role", "present", "failback"];

    /// <summary>Those that are the same as a flag.</summary>
    public static readonly ImmutableArray<FileKey> Flags =
    [
        new("node", "--node", FileShape.Text),
        new("dataCenter", "--dcid", FileShape.Number),
        new("neighbors", "--neighbor", FileShape.Texts),
        new("neighborPattern", "--neighborpattern", FileShape.Text),
        new("neighborPort", "--neighbor-port", FileShape.Number),
        new("localAddresses", "--local-address", FileShape.Texts),
        new("routerId", "--router-id", FileShape.Text),
        new("localAs", "--local-as", FileShape.Number),
        new("peerAs", "--peer-as", FileShape.Number),
        new("metadata", "--metadata", FileShape.Text),
        new("hub", "--hub", FileShape.Text),
        new("hubCertificateAuthority", "--hub-ca", FileShape.Text),
        new("state", "--state", FileShape.Text),
        new("control", "--control", FileShape.Text),
        new("metrics", "--metrics", FileShape.TextOrNumber),
        new("identityPort", "--identity-port", FileShape.Number),
        new("probing", "--probing", FileShape.OnOff),
        new("damping", "--damping", FileShape.OnOff),
        new("addresses.mode", "--addresses", FileShape.Text) { Words = ["watched", "managed"] },
        new("addresses.device", "--address-device", FileShape.Text),
        new("addresses.allInterfaces", "--allifs", FileShape.Switch),
        new("addresses.send56", "--send56", FileShape.Switch),
        new("session.holdTime", "--hold-time", FileShape.Number),
        new("session.sendHoldTime", "--send-hold-time", FileShape.Number),
        new("session.multihopTtl", "--multihopttl", FileShape.Number),
        new("session.ttlSecurity", "--ttl-security", FileShape.Number),
        new("session.md5KeyFile", "--md5-key-file", FileShape.Text),
        new("session.tcpAoKeyFile", "--tcp-ao-key-file", FileShape.Text),
        new("session.extendedMessages", "--extended-messages", FileShape.Switch),
        new("session.enhancedRouteRefresh", "--enhanced-route-refresh", FileShape.Switch),
        new("session.gracefulRestartHelper", "--graceful-restart-helper", FileShape.Switch),
        new("session.largeCommunities", "--large-community", FileShape.Texts),
        new("session.gracefulShutdown", "--graceful-shutdown", FileShape.Number),
        new("failback.policy", "--failback", FileShape.Text) { Words = ["immediate", "after-stable", "manual", "sticky"] },
        new("failback.stableFor", "--failback-stable", FileShape.Number),
        new("log.level", "--loglevel", FileShape.Text) { Words = ["trace", "debug", "info", "warn", "error"] },
        new("log.json", "--logjson", FileShape.Switch),
    ];

    /// <summary>Objects at the top that hold keys which are flags.</summary>
    public static readonly ImmutableArray<string> Sections = [.. Flags.Where(key => key.Path.Contains('.', StringComparison.Ordinal)).Select(key => key.Path.Split('.')[0]).Distinct()];

    /// <summary>What may stand at the top.</summary>
    public static readonly ImmutableArray<string> Top =
        [Schema, .. Flags.Select(key => key.Path.Split('.')[0]).Distinct(), Role, Prefixes, Checks, Limits];

    /// <summary>The roles and prefixes of the file are richer than their flags, and are called by these names.</summary>
    public static readonly ImmutableDictionary<string, FileKey> ByFlag = Flags
        .Append(new FileKey(Role, "--primary", FileShape.Text))
        .Append(new FileKey(Role, "--secondary", FileShape.Text))
        .Append(new FileKey(Prefixes, "--announce", FileShape.Text))
        .ToImmutableDictionary(key => key.Flag, StringComparer.Ordinal);

    /// <summary>What may stand in a section.</summary>
    public static ImmutableArray<string> OfSection(string section) =>
        [.. Flags.Where(key => key.Path.StartsWith($"{section}.", StringComparison.Ordinal)).Select(key => key.Path[(section.Length + 1)..])];
}
