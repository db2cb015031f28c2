using System.Collections.Immutable;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Node;

namespace FailoverHub.Agent.Configuration.Layers;

/// <summary>What <c>failoverhub-agent check</c> says.</summary>
internal static class ConfigurationReport
{
    // Shown to people in terminals, not put into pages.
    private static readonly JsonWriterOptions _json = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What would run on the one writer, or all errors on the other; JSON goes to the first in either case.</summary>
    public static void Write(LoadedConfiguration loaded, bool asJson, TextWriter output, TextWriter error)
    {
        if (asJson)
        {
            output.WriteLine(Json(loaded));
            return;
        }

        foreach (var line in loaded.Errors)
        {
            error.WriteLine($"error: {line}");
        }

        if (loaded.Options is not { } options)
        {
            error.WriteLine(loaded.Errors.Length == 1 ? "The configuration has 1 error; nothing would run." : $"The configuration has {loaded.Errors.Length} errors; nothing would run.");
            return;
        }

        output.WriteLine(loaded.File is null ? "The configuration is good; there is no file." : $"The configuration is good: {loaded.File}");
        foreach (var (label, text) in Words(options))
        {
            output.WriteLine($"  {label,-13} {text}");
        }

        foreach (var warning in Warnings(options))
        {
            output.WriteLine($"warning: {warning}");
        }
    }

    /// <summary>What would run, in rows of a label and words.</summary>
    public static IEnumerable<(string Label, string Text)> Words(AgentOptions options)
    {
        yield return ("node", options.Node);
        if (options.DataCenter is { } id)
        {
            yield return ("data center", $"{id}, {DataCenters.Find(id)?.Name ?? "not known to this version"}");
        }

        if (options.Neighbors.IsEmpty)
        {
            yield return ("neighbors", "the route servers of the data center that the metadata service names");
        }

        foreach (var neighbor in options.Neighbors)
        {
            yield return ("neighbor", options.LocalAddressFor(neighbor) is { } from ? $"{neighbor}, dialled from {from}" : $"{neighbor}");
        }

        yield return ("session", Session(options));
        yield return ("role", options.DefaultRole is { } role ? $"{role.Word()}, unless an intent or the prefix itself says otherwise" : options.Hub is null ? "none, unless an intent or the prefix itself says one" : "none, unless the hub or the prefix itself says one");
        yield return ("addresses", Addresses(options));
        foreach (var prefix in options.Announce)
        {
            yield return ("prefix", Prefix(prefix, options));
        }

        yield return ("failback", Failback(options.Failback));
        foreach (var check in options.Checks)
        {
            yield return ("check", Check(check));
        }

        yield return ("hub", options.Hub is { } hub ? $"{hub}{Membership(options, hub)}; {Limits(options.Limits)}" : "none, stand-alone");
        if (options.Hub is not null)
        {
            yield return ("identity", options.IdentityPort == 0 ? "nobody is answered which node this is" : $"its hub is answered on UDP port {options.IdentityPort} of the shared addresses, which node it is");
            yield return ("probing", options.Probing ? "its hub may have addresses asked from here" : "nothing is asked for its hub");
        }

        yield return ("damping", options.Damping ? "on" : "off");
        yield return ("state", $"{options.StateDirectory}, control socket {options.ControlSocket}");
        yield return ("log", $"{LevelWord(options)}{(options.LogJson ? ", as JSON" : "")}");
        if (options.Metrics is { } metrics)
        {
            yield return ("metrics", $"http://{metrics}/metrics");
        }
    }

    private static ImmutableArray<string> Warnings(AgentOptions options) => options.NeedsStoredIntent
        ? options.Warnings.Add("nothing here gives a role and there is no hub: it starts only if an intent is stored")
        : options.Warnings;

    private static string Session(AgentOptions options)
    {
        var parts = new List<string>
        {
            $"AS {options.LocalAs} to AS {options.PeerAs}",
            options.HoldTime.Seconds == 0 ? "no hold time" : $"hold time {options.HoldTime.Seconds} s",
            options.Protocol.TtlSecurity is { } hops ? $"TTL security, at most {hops} hops" : $"TTL {options.MultihopTtl}",
        };
        if (options.RouterId is { } routerId)
        {
            parts.Add($"router id {routerId}");
        }

        if (options.Protocol.Authentication is { } authentication)
        {
            parts.Add($"signed with {authentication.Name}");
        }

        if (options.Protocol.GracefulShutdown > TimeSpan.Zero)
        {
            parts.Add($"graceful shutdown of {options.Protocol.GracefulShutdown.TotalSeconds:0} s");
        }

        if (!options.Protocol.LargeCommunities.IsEmpty)
        {
            parts.Add($"large communities {string.Join(' ', options.Protocol.LargeCommunities)}");
        }

        parts.AddRange(new[]
        {
            options.Protocol.ExtendedMessages ? "extended messages" : null,
            options.Protocol.EnhancedRouteRefresh ? "enhanced route refresh" : null,
            options.Protocol.GracefulRestartHelper ? "graceful restart helper" : null,
        }.OfType<string>());
        return string.Join(", ", parts);
    }

    private static string Addresses(AgentOptions options) =>
        (options.Addresses.Mode == AddressMode.Managed ? $"added by the agent on {options.Addresses.Device ?? "lo"} where they are missing, and looked for on " : "looked for on ")
        + (options.AllInterfaces ? "every interface" : "loopback")
        + (options.Ipv6Length == 64 ? "" : $"; IPv6 as /{options.Ipv6Length}");

    private static string Prefix(ConfiguredPrefix prefix, AgentOptions options)
    {
        var role = (prefix.Role ?? options.DefaultRole) is { } known ? $"as {known.Word()}" : "in the role that an intent gives it";
        var when = prefix.Present ? "whether or not an interface has its address" : "while an interface has its address";
        var failback = prefix.Failback is { } own ? $"; failback {Failback(own)}" : "";
        return $"{prefix.Prefix} {role}, {when}{failback}";
    }

    private static string Failback(FailbackOptions failback) => failback.Policy switch
    {
        FailbackPolicy.AfterStable => string.Create(CultureInfo.InvariantCulture, $"after-stable: a primary that returns is announced as secondary until it was well for {failback.StableFor.TotalSeconds} s"),
        FailbackPolicy.Manual => "manual: a primary that returns is announced as secondary until an operator fails back",
        FailbackPolicy.Sticky => "sticky: nothing is held, both nodes are meant to have the same role",
        _ => "immediate: a primary that returns is announced as primary at once",
    };

    private static string Check(CheckOptions check) => string.Create(
        CultureInfo.InvariantCulture,
        $"{check.Name}: {check.Probe.Kind} {check.Probe.Target} every {check.Interval.TotalSeconds} s; {check.Fall} bad results {(check.Consequence == HealthConsequence.Demote ? "demote" : "withdraw")} {(check.Prefixes.IsEmpty ? "all prefixes" : string.Join(", ", check.Prefixes))}, {check.Rise} good ones end that");

    private static string Membership(AgentOptions options, Uri hub) => (hub.Scheme == Uri.UriSchemeHttps, options.Joined) switch
    {
        (true, { } joined) => $" as {joined.Node}, with a certificate until {CertificateTimes.Text(joined.Times.NotAfter)} ({joined.Fingerprint[..8]})",
        (true, null) => ", WITHOUT A CERTIFICATE: this node has not joined it",
        _ => "",
    };

    private static string Limits(IntentLimits limits)
    {
        var forbidden = new[] { limits.Drain ? null : "drain", limits.Promote ? null : "promote", limits.Demote ? null : "demote" }.OfType<string>().ToList();
        return forbidden.Count == 0 ? "it may drain, promote and demote" : $"it may not {string.Join(" or ", forbidden)}";
    }

    private static string LevelWord(AgentOptions options) => options.LogLevel switch
    {
        Microsoft.Extensions.Logging.LogLevel.Trace => "trace",
        Microsoft.Extensions.Logging.LogLevel.Debug => "debug",
        Microsoft.Extensions.Logging.LogLevel.Warning => "warn",
        Microsoft.Extensions.Logging.LogLevel.Error => "error",
        _ => "info",
    };

    private static string Json(LoadedConfiguration loaded)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, _json))
        {
            writer.WriteStartObject();
            writer.WriteBoolean("valid", loaded.Options is not null);
            writer.WriteString("file", loaded.File);
            Texts(writer, "errors", loaded.Errors);
            Texts(writer, "warnings", loaded.Options is null ? [] : Warnings(loaded.Options));
            writer.WriteStartArray("runs");
            foreach (var (label, text) in loaded.Options is null ? [] : Words(loaded.Options))
            {
                writer.WriteStartObject();
                writer.WriteString("what", label);
                writer.WriteString("how", text);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Texts(Utf8JsonWriter writer, string name, ImmutableArray<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }
}
