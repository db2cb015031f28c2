using System.CommandLine;
using FailoverHub.Agent.Control;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Node.Prefixes;

namespace FailoverHub.Agent.Configuration.CommandLine;

/// <summary>The commands that change something on a running agent, each with its arguments.</summary>
internal sealed class OrderCommands
{
    private readonly Option<string?> _reason = new("--reason") { HelpName = "TEXT", Description = "Why, for the journal and the hub's audit history. (The exit code: 0 done; 1 refused; 3 no agent answers; 4 kept and obeyed, but no neighbor has been told yet.)" };
    private readonly Argument<string> _what = new("PREFIX|ROLE") { Description = "A prefix as 'status' names it, and behind it the role; or the role alone, for all prefixes." };
    private readonly Argument<string?> _role = new("ROLE") { Description = "primary, secondary, or default: what the intent or the configuration says.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Argument<string?> _held = new("PREFIX") { Description = "A prefix as 'status' names it; left out: all that are held back.", Arity = ArgumentArity.ZeroOrOne };

    /// <param name="common">Of every command that asks a running agent.</param>
    public OrderCommands(params IReadOnlyCollection<Option> common)
    {
        var drain = new Command("drain", "Announce nothing until 'undrain'; the sessions stay up.") { _reason };
        var undrain = new Command("undrain", "End a drain that was ordered on this node.") { _reason };
        var role = new Command("role", "Announce in another role until a newer intent of the hub names the prefix: role [PREFIX] primary|secondary|default.") { _what, _role, _reason };
        var failback = new Command("failback", "Announce as primary now what the failback policy holds back.") { _held, _reason };
        All = [drain, undrain, role, failback];
        foreach (var command in All)
        {
            foreach (var option in common)
            {
                command.Add(option);
            }

            command.SetAction(static _ => 0);
        }
    }

    public IReadOnlyList<Command> All { get; }

    /// <summary>What is asked of the agent; or a sentence that says what is wrong with the command line.</summary>
    public (ControlRequest? Request, string? Problem) Read(ParseResult result)
    {
        var command = result.CommandResult.Command.Name;
        var request = new ControlRequest(command) { Reason = result.GetValue(_reason) };
        if (request.Reason is { Length: > LocalCommand.LongestReason })
        {
            return (null, $"--reason: more than {LocalCommand.LongestReason} characters; give a shorter one.");
        }

        if (command == "failback")
        {
            request = request with { Prefix = result.GetValue(_held) };
        }
        else if (command == "role")
        {
            var (what, role) = (result.GetValue(_what)!, result.GetValue(_role));
            request = role is null ? request with { Role = what } : request with { Prefix = what, Role = role };
            if (request.Role != "default" && !RoleWords.TryParse(request.Role, out _))
            {
                return (null, $"role: '{request.Role}' is no role; give primary, secondary or default, behind the prefix if one is given.");
            }
        }

        return request.Prefix is null || SharedPrefix.TryParse(request.Prefix, out _, out var problem) ? (request, null) : (null, $"{command}: {problem}");
    }
}
