using System.Globalization;
using System.Net;

namespace FailoverHub.Web.Fleet;

/// <summary>Why a node does not do for a prefix what is wanted of it: half sentences for the reason of a pair's state, for rules and for pages.</summary>
internal static class PairWords
{
    /// <summary>That nodes of the pair run on one physical host, what follows from it and what helps; whole sentences.</summary>
    public static string OnOneHost(PairView pair, string host) =>
        $"Nodes of {pair.Name} are on one physical host ({host}): {string.Join(", ", pair.Members.Where(m => host.Equals(m.Node.Host, StringComparison.OrdinalIgnoreCase)).Select(m => m.Node.Name))}. When it breaks nobody can take over. Put them into a placement group with anti-affinity.";

    /// <summary>Why the member does not announce the prefix: "is drained", after the node's name.</summary>
    public static string WhyNot(MemberView member, IPNetwork prefix) => View(member, prefix) switch
    {
        null => $"does not have {prefix}",
        { Announced: true } => $"has no established session to announce {prefix} on",
        { WithdrawnReason: WithdrawnReason.Drained } => Drained(member.Node),
        { Damped: true } => $"withdrew {prefix} because it came and went too often",
        { WithdrawnReason: WithdrawnReason.Unhealthy } when FailingChecks(member.Node, prefix) is { Length: > 0 } checks => $"withdrew {prefix} because {checks}",
        { WithdrawnReason: WithdrawnReason.Unhealthy } when member.Node.Checks.Any(c => c.Concerns(prefix)) => $"has no verdict of its checks yet and withholds {prefix}",
        { WithdrawnReason: WithdrawnReason.Unhealthy } => $"withdrew {prefix} because its checks fail or it was lost too often",
        { WithdrawnReason: WithdrawnReason.AddressMissing } => $"has the address of {prefix} on no interface",
        { WithdrawnReason: WithdrawnReason.NotAssigned } => $"has no role for {prefix}",
        { WithdrawnReason: WithdrawnReason.Stopping } => "is stopping",
        _ => $"does not announce {prefix}",
    };

    /// <summary>"is drained", "is drained on the node itself", after the node's name.</summary>
    public static string Drained(NodeView node) => node is { LocallyDrained: true, AssignedDrained: false } ? "is drained on the node itself" : "is drained";

    /// <summary>"check 'web' fails: HTTP 503", or all of them; empty: none that concerns the prefix fails.</summary>
    public static string FailingChecks(NodeView node, IPNetwork prefix) => string.Join(", ", node.Checks
        .Where(c => c.Verdict == Health.Unhealthy && c.Concerns(prefix))
        .Select(c => $"check '{c.Name}' fails{(c.LastOutput is { } output ? $" ({output.TrimEnd('.')})" : "")}"));

    /// <summary>Why it is held back, and for how long: "fails back in 42 s if it stays well", after the node's name.</summary>
    public static string Held(PrefixView view) => view switch
    {
        { Hold.Remaining: { } remaining } => $"fails back in {Countdown(remaining)} if it stays well",
        { Failback.Policy: FailbackPolicy.Manual } => "waits for an operator to fail back",
        { Hold: { } hold } => $"is held back: {hold.Reason.TrimEnd('.')}",
        _ => "is not held back",
    };

    /// <summary>"42 s", "3 min 05 s", "2 h 05 min", "6 d 4 h": what is left, rounded up so that it never says 0 s too early.</summary>
    public static string Countdown(TimeSpan remaining)
    {
        var seconds = (long)Math.Ceiling(remaining.TotalSeconds);
        var minutes = (seconds + 59) / 60;
        var hours = (minutes + 59) / 60;
        return seconds < 60 ? string.Create(CultureInfo.InvariantCulture, $"{seconds} s")
            : seconds < 3600 ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 60} min {seconds % 60:00} s")
            : minutes < 24 * 60 ? string.Create(CultureInfo.InvariantCulture, $"{minutes / 60} h {minutes % 60:00} min")
            : string.Create(CultureInfo.InvariantCulture, $"{hours / 24} d {hours % 24} h");
    }

    /// <summary>"Frozen until 2026-05-04 12:30:00 UTC by alice: nothing is done to it, and nothing fails back by itself."</summary>
    public static string Frozen(FreezeView freeze) =>
        $"{(freeze.OfAll ? "All pairs are frozen" : "Frozen")} until {freeze.Until.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC by {freeze.By}: nothing is done to {(freeze.OfAll ? "any of them" : "it")}, and nothing fails back by itself.";

    public static PrefixView? View(MemberView member, IPNetwork prefix) => member.Find(prefix);

    public static string Word(Role? role) => role switch { Role.Primary => "primary", Role.Secondary => "secondary", _ => "nothing" };
}
