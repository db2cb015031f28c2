using System.Collections.Frozen;
using FailoverHub.Protos.V1;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Agents;

/// <summary>
/// The kinds of events that an agent may report. The hub's own kinds are not among them: no node says that an operation has finished or that another one was revoked. A word that only a
/// newer agent knows is kept as <see cref="EventKinds.NodeSaid"/>, with the word before the sentence. Pure.
/// </summary>
internal static class JournalKinds
{
    private static readonly FrozenSet<string> Known = FrozenSet.Create(
        StringComparer.Ordinal,
        "started", "stopping", "session-established", "session-lost", "session-reset", "announced", "withdrawn", "role-changed", "intent-accepted", "intent-rejected", "drained", "undrained",
        "graceful-shutdown", "damped", "damping-ended", "health-changed", "failback-held", "failback-released", "configuration-loaded", "configuration-rejected", LocalCommand.Kind, "hub-joined",
        "certificate-renewed", "certificate-refused", "certificate-accepted", "certificate-expired", "journal-overflow", "address-problem");

    /// <summary>The event's kind and its sentence.</summary>
    public static (string Kind, string Text) Of(string word, string text) => Known.Contains(word) ? (word, text) : (EventKinds.NodeSaid, AgentText.Sentence($"{word}: {text}"));

    public static EventSeverity SeverityOf(JournalEntry entry) => entry.Kind switch
    {
        "session-lost" or "withdrawn" or "intent-rejected" or "journal-overflow" or "drained" or "damped" or "stopping" => EventSeverity.Warning,

        // Good news is news, but no warning: "check web (http …) is healthy: …".
        "health-changed" when entry.Text.Contains(") is healthy:", StringComparison.Ordinal) => EventSeverity.Info,
        "address-problem" when entry.Text.StartsWith("the addresses on the interfaces are as they are to be", StringComparison.Ordinal) => EventSeverity.Info,
        "health-changed" or "failback-held" or "configuration-rejected" or "address-problem" or "certificate-refused" or "certificate-expired" => EventSeverity.Warning,
        _ => EventSeverity.Info,
    };
}
