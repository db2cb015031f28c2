using FailoverHub.Web.History;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Agents;

/// <summary>
/// What somebody did on a node itself, as an audit entry: a node that lets itself be commanded without the hub tells it with its journal, maybe
/// hours later. Pure.
/// </summary>
internal static class LocalCommand
{
    /// <summary>Kind of the journal entry.</summary>
    public const string Kind = "local-command";

    /// <summary>Action of the audit entry.</summary>
    public const string Action = "local-command";

    /// <param name="happened">The journal entry as an event.</param>
    /// <param name="actor">Who, as the node says it: "root (uid 0)"; empty: it does not say.</param>
    public static AuditDraft ToAudit(EventDraft happened, string actor)
    {
        var node = happened.Node!;
        return new AuditDraft
        {
            // The hub has not seen them: it is the node that vouches for the name.
            Actor = new Actor($"{(actor.Length == 0 ? "somebody" : actor)} on {node}, locally", null, null),
            Action = Action,
            Target = happened.Pair is { } pair ? AuditTarget.NodeOfPair(node, pair) : AuditTarget.Node(node),
            Reason = ReasonIn(happened.Text),
            Outcome = $"{(IsRefusal(happened.Text, actor) ? "refused" : "accepted")}: {happened.Text}",
            HappenedAt = happened.At,
        };
    }

    // The sentence of the node is all that there is, and it begins with who did it: 'root (uid 0) ordered to drain this node ("why"); …',
    // 'root (uid 0) was refused to drain this node ("why"), nothing changed: …'.
    private static bool IsRefusal(string text, string actor) => text.StartsWith($"{actor} was refused ", StringComparison.Ordinal);

    // Behind what was ordered, in brackets and quotes, and then a comma or a semicolon; the words of that person may have any of these.
    private static string? ReasonIn(string text)
    {
        const string opening = " (\"";
        var begin = text.IndexOf(opening, StringComparison.Ordinal) + opening.Length;
        var end = Math.Max(text.LastIndexOf("\"); ", StringComparison.Ordinal), text.LastIndexOf("\"), ", StringComparison.Ordinal));
        return begin < opening.Length || end <= begin ? null : text[begin..end];
    }
}
