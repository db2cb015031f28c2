using System.Collections.Immutable;
using System.CommandLine;
using System.Reflection;

namespace FailoverHub.Agent.Configuration;

/// <summary>What the command line asks for.</summary>
internal abstract record CommandLineRequest
{
    private CommandLineRequest()
    {
    }

    /// <summary>Be the daemon.</summary>
    internal sealed record Run(AgentOptions Options) : CommandLineRequest;

    /// <summary>Everything is said already; leave with this code: 0 help or version, 2 usage.</summary>
    internal sealed record Exit(int Code) : CommandLineRequest;
}

/// <summary>
/// The command line. The vendor client's flags are understood with one dash or two and with a space or an equals sign,
/// so that its unit files work with only the program's name changed.
/// </summary>
internal sealed class AgentCommandLine
{
    /// <summary>Exit code for a command line that cannot be obeyed.</summary>
    public const int UsageError = 2;

    private readonly Option<string?> _dataCenter = Text("--dcid", "ID", "Data center id: dials its four route servers.", "-dcid");
    private readonly Option<bool> _primary = Flag("--primary", "Announce as primary unless an intent or --announce says otherwise.", "-primary");
    private readonly Option<bool> _secondary = Flag("--secondary", "Announce as secondary unless an intent or --announce says otherwise.", "-secondary");
    private readonly Option<bool> _send56 = Flag("--send56", "Widen IPv6 addresses to /56 instead of /64.", "-send56");
    private readonly Option<bool> _allInterfaces = Flag("--allifs", "Look for shared addresses on every interface, not only on loopback.", "-allifs");
    private readonly Option<string?> _multihopTtl = Text("--multihopttl", "HOPS", "TTL of the sessions' packets, 1 to 255 (default 16).", "-multihopttl");
    private readonly Option<string?> _neighborPattern = Text("--neighborpattern", "PATTERN", $"Addresses of the route servers; the first %d is the data center id, the second 1 to 4 (default {NeighborPattern.Default}).", "-neighborpattern");
    private readonly Option<string?> _logLevel = Text("--loglevel", "LEVEL", "trace, debug, info, warn or error (default info).", "-loglevel");
    private readonly Option<bool> _logJson = Flag("--logjson", "Write the log as JSON, one object a line.", "-logjson");
    private readonly Option<string[]> _neighbors = Many("--neighbor", "ADDR[:PORT]", "A route server, instead of those of the data center; may be given any number of times. IPv6 with port: [ADDR]:PORT.");
    private readonly Option<string?> _neighborPort = Text("--neighbor-port", "PORT", "Port of neighbors given without one (default 179).");
    private readonly Option<string[]> _localAddresses = Many("--local-address", "ADDR", "Source address of the sessions; at most one of each family.");
    private readonly Option<string?> _routerId = Text("--router-id", "A.B.C.D", "BGP identifier, another one on each node (default: chosen once and kept in the state directory).");
    private readonly Option<string[]> _announce = Many("--announce", "PREFIX[=ROLE]", "A shared prefix that counts as present, with its role (primary or secondary); may be given any number of times.");
    private readonly Option<string?> _hub = Text("--hub", "URL", "The hub, such as http://127.0.0.1:5081 (default: none, stand-alone).");
    private readonly Option<string?> _state = Text("--state", "DIR", $"Directory for the last intent and the journal (default {AgentOptionsReader.DefaultStateDirectory}).");
    private readonly Option<string?> _holdTime = Text("--hold-time", "SECONDS", "Hold time that is offered: 0 or 3 to 65535 (default 9).");
    private readonly Option<string?> _node = Text("--node", "NAME", "Name of this node, unique in the fleet (default: the host's name).");
    private readonly Option<string?> _localAs = Text("--local-as", "ASN", "Our AS number (default 65001).");
    private readonly Option<string?> _peerAs = Text("--peer-as", "ASN", "AS number of the route servers (default 65000).");

    private readonly RootCommand _root;
    private readonly Command _run;
    private readonly Command _version;

    public AgentCommandLine()
    {
        _run = new Command("run", "Be the node daemon. The default when the first argument is a flag.")
        {
            _dataCenter, _primary, _secondary, _send56, _allInterfaces, _multihopTtl, _neighborPattern, _logLevel, _logJson,
            _neighbors, _neighborPort, _localAddresses, _routerId, _announce, _hub, _state, _holdTime, _node, _localAs, _peerAs,
        };
        _run.SetAction(static _ => 0);
        _version = new Command("version", "Print the version.");
        _version.SetAction(static result =>
        {
            result.InvocationConfiguration.Output.WriteLine($"failoverhub-agent {Version}");
            return 0;
        });
        _root = new RootCommand("Announces shared IP addresses to a data center's route servers. The flags of 'run' may be given without naming it: see 'failoverhub-agent run --help'.")
        {
            _run, _version,
        };
    }

    /// <summary>Version of the program, such as <c>0.1.0</c>.</summary>
    public static string Version { get; } =
        typeof(AgentCommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";

    /// <summary>Reads the command line; what is to be said to the user is said on the two writers.</summary>
    public CommandLineRequest Read(IReadOnlyList<string> args, string hostName, TextWriter output, TextWriter error)
    {
        var result = _root.Parse(WithDefaultCommand(GoFlags.Normalize(args)), new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        var isRun = result.CommandResult.Command == _run;
        var isHelp = result.Action is System.CommandLine.Help.HelpAction;
        if (result.Errors.Count == 0 && (!isRun || isHelp))
        {
            return new CommandLineRequest.Exit(result.Invoke(new InvocationConfiguration { Output = output, Error = error }));
        }

        var (options, errors) = isRun ? AgentOptionsReader.Read(Collect(result), hostName) : (null, ImmutableArray<string>.Empty);
        errors = [.. result.Errors.Select(parseError => parseError.Message), .. errors];
        if (options is not null && errors.IsEmpty)
        {
            return new CommandLineRequest.Run(options);
        }

        foreach (var line in errors)
        {
            error.WriteLine($"error: {line}");
        }

        error.WriteLine("All flags: failoverhub-agent run --help");
        return new CommandLineRequest.Exit(UsageError);
    }

    // No argument, or a flag first: that is how the vendor's client is called.
    private static IReadOnlyList<string> WithDefaultCommand(IReadOnlyList<string> args) => args switch
    {
        [] => ["run"],
        ["-h" or "--help" or "-?" or "--version", ..] => args,
        [['-', ..], ..] => ["run", .. args],
        _ => args,
    };

    private RawArguments Collect(ParseResult result) => new()
    {
        DataCenter = Value(result, _dataCenter),
        Primary = Value(result, _primary),
        Secondary = Value(result, _secondary),
        Send56 = Value(result, _send56),
        AllInterfaces = Value(result, _allInterfaces),
        MultihopTtl = Value(result, _multihopTtl),
        NeighborPattern = Value(result, _neighborPattern),
        LogLevel = Value(result, _logLevel),
        LogJson = Value(result, _logJson),
        Neighbors = [.. Value(result, _neighbors) ?? []],
        NeighborPort = Value(result, _neighborPort),
        LocalAddresses = [.. Value(result, _localAddresses) ?? []],
        RouterId = Value(result, _routerId),
        Announce = [.. Value(result, _announce) ?? []],
        Hub = Value(result, _hub),
        State = Value(result, _state),
        HoldTime = Value(result, _holdTime),
        Node = Value(result, _node),
        LocalAs = Value(result, _localAs),
        PeerAs = Value(result, _peerAs),
    };

    // An option that itself was given wrongly has its error already; its value must not be asked for.
    private static T? Value<T>(ParseResult result, Option<T> option) =>
        result.GetResult(option) is { } given && !given.Errors.Any() ? result.GetValue(option) : default;

    private static Option<string?> Text(string name, string placeholder, string description, params string[] aliases) =>
        new(name, aliases) { HelpName = placeholder, Description = description };

    private static Option<string[]> Many(string name, string placeholder, string description) =>
        new(name) { HelpName = placeholder, Description = description, Arity = ArgumentArity.OneOrMore };

    private static Option<bool> Flag(string name, string description, params string[] aliases) =>
        new(name, aliases) { Description = description };
}
