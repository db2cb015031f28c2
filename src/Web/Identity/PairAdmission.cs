using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Running;

namespace FailoverHub.Web.Identity;

/// <summary>
/// Where an operator says that a node belongs to a pair: beside its members, or in place of one of them. A node that only reports a pair's address
/// may be any machine with a certificate; nothing but this makes it one of those that the pair's rules rely on. Nothing is sent to a node by it.
/// </summary>
internal sealed class PairAdmission(NodeDeskServices services, NodeDesk desk, OperationServices operations)
{
    /// <summary>Action of the audit entry.</summary>
    public const string Action = "pair-member-let-in";

    /// <summary>Lets the node in.</summary>
    /// <param name="pairName">Name or id of the pair.</param>
    /// <param name="name">A node that reports an address of it, or of one of its nodes, and has no pair.</param>
    /// <param name="inPlaceOf">The member that leaves; null: nobody does.</param>
    /// <param name="reason">Why, at least <see cref="NodeChanges.ShortestReason"/> characters.</param>
    /// <param name="actor">Who says so.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    public async Task<NodeChange> LetInAsync(string pairName, string name, string? inPlaceOf, string reason, Actor actor, CancellationToken cancellationToken)
    {
        await operations.Admission.WaitAsync(cancellationToken);
        try
        {
            return services.Fleet.Current.FindPair(pairName) is { } pair
                ? await desk.ChangeAsync(
                    name, reason, Action, actor,
                    _ => Against(pair, name, inPlaceOf),
                    (_, draft) => LetInAsync(pair, name, inPlaceOf, draft, actor, cancellationToken),
                    cancellationToken)
                : new NodeChange.NotFound($"No pair is called '{pairName}'.");
        }
        finally
        {
            operations.Admission.Release();
        }
    }

    private string? Against(PairView pair, string name, string? inPlaceOf)
    {
        var facts = services.Fleet.State.Facts;
        return facts.PairOf(name) is { } its ? $"{name} is of the pair {its.Name} already; a node is of one pair."
            : facts.Pairs.GetValueOrDefault(pair.Id)?.Running is { } running ? $"An operation of the pair is under way ({running.Title}). Wait for its end."
            : inPlaceOf is not null && !pair.Members.Any(m => Same(m.Node.Name, inPlaceOf)) ? $"{inPlaceOf} is no node of {pair.Name}; it has {string.Join(" and ", pair.Members.Select(m => m.Node.Name))}."
            : Leaver(pair, inPlaceOf) is { Node.IsFresh: true } leaver && leaver.Prefixes.Any(p => p.Announced)
                ? $"{leaver.Node.Name} announces {string.Join(", ", leaver.Prefixes.Where(p => p.Announced).Select(p => p.Prefix))} now, and outside of the pair nothing could be asked of it. Drain it first; or revoke its certificate, if it is not what it says."
            : !pair.Claimants.Any(c => Same(c.Node, name)) ? $"{name} reports no address of {pair.Name}, so there is nothing that it could take over. Configure the address on it first."
            : null;
    }

    private async Task<NodeChange> LetInAsync(PairView pair, string name, string? inPlaceOf, AuditDraft draft, Actor actor, CancellationToken cancellationToken)
    {
        var letIn = new FleetMessage.MemberLetIn(pair.Id, name, inPlaceOf, pair.Revision + 1);
        var after = PairClaims.LetIn(services.Fleet.State.Facts, letIn, []).Pairs[pair.Id];
        var audited = draft with { Target = AuditTarget.NodeOfPair(name, pair.Name), Before = Json(pair.Members.Select(m => m.Node.Name)), After = Json(after.Members) };
        await services.Audit.ChangeAsync(audited, (db, stop) => FleetRecords.UpsertPairAsync(db, after, stop), cancellationToken);
        if (await services.Fleet.PostAsync(letIn, CancellationToken.None))
        {
            var seen = services.Fleet.WaitUntilAsync(s => s.Facts.Pairs.GetValueOrDefault(pair.Id) is not { } now || now.Revision >= letIn.Revision, cancellationToken);
            await ((Task)seen).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var text = $"{name} was let into the pair {pair.Name} by {actor.Name}{(inPlaceOf is null ? "" : $", in place of {inPlaceOf}, which goes on announcing what it was last told")}: {draft.Reason}";
        services.Events.Append(new EventDraft { At = services.Time.GetUtcNow(), Kind = EventKinds.PairMemberLetIn, Pair = pair.Name, Node = name, Text = text });
        return new NodeChange.Done(text);
    }

    private static MemberView? Leaver(PairView pair, string? name) => name is null ? null : pair.Members.FirstOrDefault(m => Same(m.Node.Name, name));

    private static string Json(IEnumerable<string> members) => System.Text.Json.JsonSerializer.Serialize(new { members });

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
