using System.Net;
using FailoverHub.Agent.Node.Intents;

namespace FailoverHub.Agent.Node.Orders;

/// <summary>What somebody on the node itself asks of it. A closed family.</summary>
/// <param name="Id">For the answer; unique in the process.</param>
/// <param name="Actor">Who, as the kernel says: <c>root (uid 0)</c>.</param>
/// <param name="Reason">In that person's words, at most <see cref="LongestReason"/> characters; empty: none.</param>
internal abstract record LocalCommand(long Id, string Actor, string Reason)
{
    /// <summary>Characters.</summary>
    public const int LongestReason = 500;

    /// <summary>Monotonic; whoever gave it waits no longer than a little after this, so it is not begun with later. Null: whenever.</summary>
    public TimeSpan? Until { get; init; }

    /// <summary>Announce nothing; the sessions stay up.</summary>
    internal sealed record DrainNode(long Id, string Actor, string Reason) : LocalCommand(Id, Actor, Reason);

    /// <summary>End a drain that was ordered here.</summary>
    internal sealed record UndrainNode(long Id, string Actor, string Reason) : LocalCommand(Id, Actor, Reason);

    /// <summary>Another role, until a newer intent names the prefix.</summary>
    /// <param name="Id">For the answer.</param>
    /// <param name="Actor">Who.</param>
    /// <param name="Reason">Why.</param>
    /// <param name="Prefix">Null: all that the node knows.</param>
    /// <param name="Role">Null: what the intent or the configuration says.</param>
    internal sealed record SetRole(long Id, string Actor, string Reason, IPNetwork? Prefix, Role? Role) : LocalCommand(Id, Actor, Reason);

    /// <summary>Announce as primary now what the failback policy holds back.</summary>
    /// <param name="Id">For the answer.</param>
    /// <param name="Actor">Who.</param>
    /// <param name="Reason">Why.</param>
    /// <param name="Prefix">Null: all that are held.</param>
    internal sealed record FailBack(long Id, string Actor, string Reason, IPNetwork? Prefix) : LocalCommand(Id, Actor, Reason);

    /// <summary>For sentences, behind "to": <c>drain this node</c>.</summary>
    public string What => this switch
    {
        DrainNode => "drain this node",
        UndrainNode => "undrain this node",
        SetRole { Role: { } role } set => $"make {Whom(set.Prefix)} {role.Word()}",
        SetRole set => $"let {Whom(set.Prefix)} have the role of the intent or the configuration again",
        FailBack back => $"fail {Whom(back.Prefix)} back",
        _ => throw new InvalidOperationException($"No words for {GetType().Name}."),
    };

    /// <summary>For sentences: <c>local command of root (uid 0) to drain this node ("kernel update")</c>.</summary>
    public string Describe() => $"local command of {Actor} to {What}{Because}";

    /// <summary>For sentences: <c>("kernel update")</c> with a blank before it, or nothing.</summary>
    public string Because => Reason.Length == 0 ? "" : $" (\"{Reason}\")";

    private static string Whom(IPNetwork? prefix) => prefix?.ToString() ?? "all prefixes";
}

/// <summary>What came of a local command.</summary>
/// <param name="Id">Of the command.</param>
/// <param name="Outcome">Likewise as of an intent.</param>
/// <param name="Text">What is different now, in a sentence without a full stop; empty: it was refused.</param>
/// <param name="Changed">The neighbors are told something.</param>
/// <param name="Established">Sessions that are up.</param>
internal sealed record LocalAnswer(long Id, IntentOutcome Outcome, string Text = "", bool Changed = false, int Established = 0);

/// <summary>A command that is obeyed already and whose answer waits for the sockets.</summary>
/// <param name="Id">Of the command.</param>
/// <param name="Version">Of the advertisements that the sockets have to have taken.</param>
/// <param name="Deadline">Monotonic; then the answer says how far it came.</param>
/// <param name="Text">What is different now.</param>
/// <param name="Changed">The neighbors are told something.</param>
internal sealed record PendingCommand(long Id, long Version, TimeSpan Deadline, string Text, bool Changed);
