using System.CommandLine;
using FailoverHub.Agent.Configuration.Layers;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Joining;

namespace FailoverHub.Agent.Configuration.CommandLine;

/// <summary>The command <c>join</c> and its flags. What is not typed is what <c>run</c> would use.</summary>
internal sealed class JoinFlags
{
    /// <summary>The token, where it is to be on no command line.</summary>
    public const string TokenVariable = "FAILOVERHUB_JOIN_TOKEN";

    private readonly Option<string?> _hub = RunFlags.HubOption("The hub's address for agents, such as https://hub.example:5443.");
    private readonly Option<string?> _token = new("--token") { HelpName = "TOKEN|-", Description = $"The join token that the hub has shown; '-': it is read from standard input. Others see a command line: --token-file, the variable {TokenVariable} and '-' keep it off." };
    private readonly Option<string?> _tokenFile = new("--token-file") { HelpName = "FILE", Description = "A file with the join token." };
    private readonly Option<string?> _node = RunFlags.NodeOption("Name that this node is to have in the hub (default: that of its last join, else the host's name).");
    private readonly Option<string?> _hubCa = RunFlags.HubCaOption();

    /// <param name="common">Of every command that speaks with a running agent.</param>
    public JoinFlags(params IReadOnlyCollection<Option> common)
    {
        Command = new Command("join", "Join a hub by a join token: makes a key here, has the hub sign its certificate, keeps both in the state directory, and connects once. 'run' with the same state directory then needs no --hub; an agent that runs takes it over at once. (Exit code 0: joined; 1: the state directory cannot be written; 3: no hub answers; 4: it is not the hub of the token; 5: it does not take the token; 6: the name is taken; 7: joined, but not connected yet.)")
        {
            _hub, _token, _tokenFile, _node, _hubCa,
        };
        foreach (var option in common)
        {
            Command.Add(option);
        }

        Command.SetAction(static _ => 0);
    }

    public Command Command { get; }

    /// <summary>What is asked for, or every error in a sentence.</summary>
    /// <param name="values">Of command line, environment and file.</param>
    /// <param name="surroundings">Of the process.</param>
    /// <param name="state">As it was given.</param>
    /// <param name="control">As it was given.</param>
    public (JoinOptions? Options, IReadOnlyList<string> Errors) Read(LayeredValues values, AgentSurroundings surroundings, string? state, string? control)
    {
        var errors = new List<string>();
        // Whoever joins again need not say where.
        var hub = ReadHub(values.Of(_hub) ?? new IdentityStore(AgentOptionsReader.StateDirectory(state)).Load().Identity?.Hub.ToString(), errors);
        var token = ReadToken(values, surroundings, errors);
        var node = values.Of(_node);
        if (node is not null && !NodeName.IsValid(node))
        {
            errors.Add($"--node: '{node}' cannot be the name of a node; give one of at most 63 letters, digits, '.', '-' and '_'.");
        }

        var (trust, problem) = HubOptionsReader.Trust(values.Of(_hubCa));
        if (problem is not null)
        {
            errors.Add($"--hub-ca: {problem}");
        }

        return errors.Count > 0 ? (null, errors) : (new JoinOptions
        {
            Hub = hub!,
            Token = token!,
            Node = node,
            HostName = surroundings.HostName,
            Trust = trust,
            StateDirectory = AgentOptionsReader.StateDirectory(state),
            ControlSocket = AgentOptionsReader.ControlSocketPath(control, state),
        }, []);
    }

    private static Uri? ReadHub(string? given, List<string> errors)
    {
        if (given is null)
        {
            errors.Add("--hub: not given; give the hub's address for agents, such as https://hub.example:5443.");
            return null;
        }

        var hub = HubOptionsReader.Parse(given);
        if (hub is null || hub.Scheme != Uri.UriSchemeHttps)
        {
            errors.Add($"--hub: '{given}' is no address at which a hub can be joined; give its https address for agents, such as https://hub.example:5443.");
            return null;
        }

        return hub;
    }

    private JoinToken? ReadToken(LayeredValues values, AgentSurroundings surroundings, List<string> errors)
    {
        var (typed, file) = (values.Of(_token), values.Of(_tokenFile));
        if (typed is not null && file is not null)
        {
            errors.Add("--token and --token-file are both given; give one of them.");
            return null;
        }

        var (text, flag, problem) = (typed, file) switch
        {
            ("-", _) => (surroundings.ReadLine(), "--token", (string?)null),
            (not null, _) => (typed, "--token", null),
            (_, not null) => ReadFile(file),
            _ => (surroundings.Variables.FirstOrDefault(variable => variable.Key == TokenVariable).Value, TokenVariable, null),
        };
        if (problem is null && text is null)
        {
            problem = "not given; make a join token in the hub ('failoverhub join-token create') and give it.";
            flag = "--token";
        }

        if (problem is null)
        {
            (var token, problem) = JoinToken.Parse(text!);
            if (token is not null)
            {
                return token;
            }
        }

        errors.Add($"{flag}: {problem}");
        return null;
    }

    private static (string? Text, string Flag, string? Problem) ReadFile(string file)
    {
        const int largest = 4096;
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var buffer = new byte[largest];
            return (System.Text.Encoding.UTF8.GetString(buffer, 0, stream.ReadAtLeast(buffer, largest, throwOnEndOfStream: false)), "--token-file", null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return (null, "--token-file", $"'{file}' cannot be read: {exception.Message.TrimEnd('.')}.");
        }
    }
}
