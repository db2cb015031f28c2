using System.CommandLine;
using System.Reflection;
using FailoverHub.Agent.Configuration.Layers;
using FailoverHub.Agent.Control;
using FailoverHub.Agent.Doctor;
using FailoverHub.Agent.Joining;

namespace FailoverHub.Agent.Configuration.CommandLine;

/// <summary>What the command line asks for.</summary>
internal abstract record CommandLineRequest
{
    private CommandLineRequest()
    {
    }

    /// <summary>Be the daemon.</summary>
    /// <param name="Options">What to begin with.</param>
    /// <param name="Source">Where they came from, to be read again.</param>
    internal sealed record Run(AgentOptions Options, ConfigurationSource Source) : CommandLineRequest;

    /// <summary>Ask a running agent and print what it answers.</summary>
    internal sealed record Ask(string ControlSocket, ControlRequest Request, bool Json) : CommandLineRequest;

    /// <summary>Look at this machine and print what keeps it from announcing.</summary>
    internal sealed record Examine(AgentOptions Options, DoctorOptions Doctor) : CommandLineRequest;

    /// <summary>Join a hub.</summary>
    internal sealed record Join(JoinOptions Options) : CommandLineRequest;

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

    private readonly RunFlags _flags = new();

    private readonly RootCommand _root;
    private readonly Command _run;
    private readonly Command _check;
    private readonly Command _doctor;
    private readonly Command _status;
    private readonly Command _trace;
    private readonly OrderCommands _orders;
    private readonly JoinFlags _join;
    private readonly Command _version;
    private readonly Option<string?> _stateOfAsked = RunFlags.StateOption();
    private readonly Option<string?> _controlOfAsked = RunFlags.ControlOption();
    private readonly Option<bool> _json = RunFlags.Flag("--json", "As JSON, for scripts.");
    private readonly Option<bool> _write = RunFlags.Flag("--write", "Write the file that makes the shared addresses permanent. Never changes a file that is there.");
    private readonly Option<string?> _peerHost = new("--peer-host") { HelpName = "UUID", Description = "Host of the other node, as its doctor names it: equal hosts are no redundancy." };
    private readonly Argument<string?> _neighbor = new("NEIGHBOR")
    {
        Description = "Only the messages of this neighbor, as 'status' names it.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public AgentCommandLine()
    {
        _run = new Command("run", "Be the node daemon. The default when the first argument is a flag.");
        _check = new Command("check", "Read the configuration as 'run' with the same flags would, and say what would run, or everything that is wrong with it.") { _json };
        _doctor = new Command("doctor", "Look at this machine: each precondition of announcing, passed, failed or unknown, with what to do. Works with and without a running agent, takes the flags of 'run', and exits with 1 when something failed.") { _json, _write, _peerHost };
        foreach (var flag in _flags.All)
        {
            _run.Add(flag);
            _check.Add(flag);
            _doctor.Add(flag);
        }

        _run.SetAction(static _ => 0);
        _check.SetAction(static _ => 0);
        _doctor.SetAction(static _ => 0);
        _status = new Command("status", "Ask the running agent how it stands: what it announces and why, and everything about each session.") { _stateOfAsked, _controlOfAsked, _json };
        _status.SetAction(static _ => 0);
        _trace = new Command("trace", "Ask the running agent for the last 200 messages of each neighbor, in words.") { _neighbor, _stateOfAsked, _controlOfAsked, _json };
        _trace.SetAction(static _ => 0);
        _orders = new OrderCommands(_stateOfAsked, _controlOfAsked, _json);
        _join = new JoinFlags(_stateOfAsked, _controlOfAsked);
        _version = new Command("version", "Print the version.");
        _version.SetAction(static result =>
        {
            result.InvocationConfiguration.Output.WriteLine($"failoverhub-agent {Version}");
            return 0;
        });
        _root = new RootCommand("Announces shared IP addresses to a data center's route servers. The flags of 'run' may be given without naming it: see 'failoverhub-agent run --help'.")
        {
            _run, _join.Command, _check, _doctor, _status, _trace, _version,
        };
        foreach (var order in _orders.All)
        {
            _root.Add(order);
        }

        // Where the agent's file is says where its socket is.
        foreach (var asking in _orders.All.Append(_status).Append(_trace).Append(_join.Command))
        {
            asking.Add(_flags.Config);
        }
    }

    /// <summary>Version of the program, such as <c>0.1.0</c>.</summary>
    public static string Version { get; } =
        typeof(AgentCommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";

    /// <summary>Reads the command line of a machine whose environment says nothing.</summary>
    public CommandLineRequest Read(IReadOnlyList<string> args, string hostName, TextWriter output, TextWriter error) =>
        Read(args, new AgentSurroundings(hostName, []), output, error);

    /// <summary>Reads the command line; what is to be said to the user is said on the two writers.</summary>
    public CommandLineRequest Read(IReadOnlyList<string> args, AgentSurroundings surroundings, TextWriter output, TextWriter error)
    {
        var result = _root.Parse(WithDefaultCommand(GoFlags.Normalize(args)), new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        var isRun = result.CommandResult.Command == _run || result.CommandResult.Command == _check || result.CommandResult.Command == _doctor;
        var isOrder = _orders.All.Contains(result.CommandResult.Command);
        var isQuestion = isOrder || result.CommandResult.Command == _status || result.CommandResult.Command == _trace;
        var isHelp = result.Action is System.CommandLine.Help.HelpAction;
        if (result.Errors.Count == 0 && isQuestion && !isHelp)
        {
            var values = new ConfigurationSource(_flags, result, surroundings).ReadValues();
            var socket = AgentOptionsReader.ControlSocketPath(values.Of(_controlOfAsked), values.Of(_stateOfAsked));
            var command = result.CommandResult.Command.Name;
            var (request, problem) = isOrder ? _orders.Read(result) : (new ControlRequest(command, command == _trace.Name ? result.GetValue(_neighbor) : null), null);
            return request is null ? Refuse(result, [problem!], error) : new CommandLineRequest.Ask(socket, request, RunFlags.Value(result, _json));
        }

        if (result.Errors.Count == 0 && result.CommandResult.Command == _join.Command && !isHelp)
        {
            var values = new ConfigurationSource(_flags, result, surroundings).ReadValues();
            var (options, errors) = _join.Read(values, surroundings, values.Of(_stateOfAsked), values.Of(_controlOfAsked));
            return options is null ? Refuse(result, errors, error) : new CommandLineRequest.Join(options);
        }

        if (result.Errors.Count == 0 && (!isRun || isHelp))
        {
            return new CommandLineRequest.Exit(result.Invoke(new InvocationConfiguration { Output = output, Error = error }));
        }

        if (isRun)
        {
            return Configure(result, surroundings, output, error);
        }

        return Refuse(result, result.Errors.Select(parseError => parseError.Message), error);
    }

    private CommandLineRequest Configure(ParseResult result, AgentSurroundings surroundings, TextWriter output, TextWriter error)
    {
        var source = new ConfigurationSource(_flags, result, surroundings);
        var loaded = source.Load();
        if (result.CommandResult.Command == _check)
        {
            using (loaded.Options?.Protocol.Authentication)
            {
                ConfigurationReport.Write(loaded, RunFlags.Value(result, _json), output, error);
            }

            return new CommandLineRequest.Exit(loaded.Options is null ? UsageError : 0);
        }

        if (loaded.Options is not { } options)
        {
            return Refuse(result, loaded.Errors, error);
        }

        return result.CommandResult.Command == _doctor
            ? new CommandLineRequest.Examine(options, new DoctorOptions(RunFlags.Value(result, _json), RunFlags.Value(result, _write), RunFlags.Value(result, _peerHost)))
            : new CommandLineRequest.Run(options, source);
    }

    private static CommandLineRequest.Exit Refuse(ParseResult result, IEnumerable<string> errors, TextWriter error)
    {
        foreach (var line in errors)
        {
            error.WriteLine($"error: {line}");
        }

        error.WriteLine($"All flags: failoverhub-agent {(result.CommandResult.Command is RootCommand ? "run" : result.CommandResult.Command.Name)} --help");
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
}
