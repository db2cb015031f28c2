using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Waiting;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Identity;

/// <summary>What came of a change of a node. A closed family.</summary>
internal abstract record NodeChange
{
    private NodeChange()
    {
    }

    /// <summary>Done, with one sentence about what it means.</summary>
    public sealed record Done(string Text) : NodeChange;

    /// <summary>Not done; the sentence says why and what to do.</summary>
    public sealed record Refused(string Why) : NodeChange;

    /// <summary>Whoever asks may not do that.</summary>
    public sealed record Forbidden(string Why) : NodeChange;

    public sealed record NotFound(string What) : NodeChange;

    public sealed record NotAudited(string Why) : NodeChange;
}

/// <summary>
/// What an operator does to the table of nodes: revoke, rename, remove. None of it touches what a node announces. A refused attempt is audited as well.
/// While a name changes or goes, no stream of it is let in and no operation begins, which would go on under a name that is no more.
/// </summary>
internal sealed class NodeChanges(NodeDeskServices services, NodeDesk desk, HubWriter writer, NodeReferences operations, IEnumerable<INodeNames> others)
{
    public const int ShortestReason = 3;

    private static readonly TimeSpan FlushWithin = TimeSpan.FromSeconds(10);

    /// <summary>Actions of the audit.</summary>
    public const string Revoked = "certificate-revoked";

    /// <inheritdoc cref="Revoked"/>
    public const string Renamed = "node-renamed";

    /// <inheritdoc cref="Revoked"/>
    public const string Removed = "node-removed";

    /// <summary>Makes every certificate of the node worthless at once, and drops its stream.</summary>
    public Task<NodeChange> RevokeAsync(string name, string reason, Actor actor, CancellationToken cancellationToken) => desk.ChangeAsync(
        name, reason, Revoked, actor,
        node => node is null ? $"{name} has no certificate, so there is nothing to revoke."
            : node.RevokedAt is not null ? $"The certificate of {node.Name} is revoked already."
            : null,
        async (known, draft) =>
        {
            var now = services.Time.GetUtcNow();
            var node = known!.WithoutValid() with { RevokedAt = now, RevokedReason = Sentence(reason) };
            var tokens = 0;
            await services.Audit.ChangeAsync(draft, async (db, stop) =>
            {
                var ms = now.ToUnixTimeMilliseconds();
                await db.NodeCertificates.Where(c => c.NodeId == node.NodeId && c.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(c => c.RevokedAtMs, ms), stop);
                await db.NodeIdentities.Where(n => n.NodeId == node.NodeId)
                    .ExecuteUpdateAsync(set => set.SetProperty(n => n.RevokedAtMs, ms).SetProperty(n => n.RevokedReason, node.RevokedReason), stop);

                // Whoever has the machine may have a token for it as well, which would undo this.
                tokens = await JoinTokens.WithdrawForAsync(db, node.Name, now, stop);
            }, cancellationToken);
            services.Register.Set(node);
            var refusal = (CertificateVerdict.Refused)CertificateJudge.Judge(
                new PresentedCertificate(CertificateStanding.Ours, node.NodeId, node.Certificates[0].Serial, now, node.Certificates[0].NotAfter), services.Register.FindById, now);
            await services.Fleet.PostAsync(new FleetMessage.IdentityChanged(node.Name, node.ToFacts(), refusal.Why), CancellationToken.None);
            var text = $"The certificate of {node.Name} was revoked by {actor.Name}: {node.RevokedReason} Its stream is dropped; it goes on announcing what it was last told.{(tokens > 0 ? " Its unused join tokens are withdrawn." : "")}";
            Tell(EventKinds.NodeRevoked, node.Name, text, EventSeverity.Warning);
            return new NodeChange.Done(text);
        },
        cancellationToken);

    /// <summary>Gives the node another name. Its certificate stays, its history keeps the old name, and it dials again.</summary>
    public Task<NodeChange> RenameAsync(string name, string newName, string reason, Actor actor, CancellationToken cancellationToken) => AloneAsync(() => desk.ChangeAsync(
        name, reason, Renamed, actor,
        node => node is null ? $"{name} has no certificate: its agent says what it is called. Change --node there."
            : !NodeNames.IsGood(newName) ? NodeNames.Problem(newName)
            : string.Equals(node.Name, newName, StringComparison.Ordinal) ? $"It is called {newName} already."
            : !string.Equals(node.Name, newName, StringComparison.OrdinalIgnoreCase) && services.Fleet.State.Facts.Nodes.ContainsKey(newName) ? $"There is another node {newName}. Choose another name, or remove that one."
            : UnderWay(node.Name) is { } running ? $"An operation of its pair is under way ({running.Title}). Wait for its end."
            : null,
        (node, draft) => RenameAsync(node!, newName, draft, actor, cancellationToken),
        cancellationToken), cancellationToken);

    /// <summary>Forgets the node. Only one that is not connected: it would be gone from the screen and announce all the same.</summary>
    public Task<NodeChange> RemoveAsync(string name, string reason, Actor actor, CancellationToken cancellationToken) => AloneAsync(() => desk.ChangeAsync(
        name, reason, Removed, actor,
        _ => services.Fleet.State.Facts is var facts && facts.Nodes.GetValueOrDefault(name)?.Stream is not null ? IsConnected(name)
            : UnderWay(name) is { } running ? $"An operation of its pair is under way ({running.Title}). Wait for its end."
            : null,
        (node, draft) => RemoveAsync(node, services.Fleet.State.Facts.Nodes.GetValueOrDefault(name)?.Name ?? name, draft, actor, cancellationToken),
        cancellationToken), cancellationToken);

    // Between the moves of a drill nothing runs on the pair, and it goes on with its nodes all the same.
    private RunningOperation? UnderWay(string name) => services.Fleet.State.Facts.PairOf(name) is { } pair ? pair.Running ?? pair.Drill : null;

    private static string IsConnected(string name) =>
        $"{name} is connected. Drain it and stop its agent first, or revoke its certificate: what nobody sees any more should announce nothing.";

    private async Task<NodeChange> RemoveAsync(RegisteredNode? node, string known, AuditDraft draft, Actor actor, CancellationToken cancellationToken)
    {
        // From here on it cannot connect; if it has in this very moment, it stays.
        await services.Fleet.PostAsync(new FleetMessage.NodeHeld(known, $"'{known}' is being removed from the hub.") { UnlessConnected = true }, cancellationToken);
        var removed = false;
        try
        {
            var held = await services.Fleet.WaitUntilAsync(s => s.Facts.Nodes.GetValueOrDefault(known) is not { Held: null, Stream: null }, cancellationToken);
            if (held.Facts.Nodes.GetValueOrDefault(known)?.Stream is not null)
            {
                return await desk.RefuseAsync(draft, IsConnected(known), cancellationToken);
            }

            if (await operations.AgainstRemovingAsync(known, cancellationToken) is { } running)
            {
                return await desk.RefuseAsync(draft, running, cancellationToken);
            }

            var now = services.Time.GetUtcNow();
            var ended = new EndedByRemoval([], []);
            await services.Audit.ChangeAsync(draft, async (db, stop) =>
            {
                var ms = now.ToUnixTimeMilliseconds();
                if (node is not null)
                {
                    await db.NodeIdentities.Where(n => n.NodeId == node.NodeId).ExecuteUpdateAsync(set => set.SetProperty(n => n.RemovedAtMs, ms), stop);
                    await db.NodeCertificates.Where(c => c.NodeId == node.NodeId && c.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(c => c.RevokedAtMs, ms), stop);
                }

                // Another machine that gets this name one day must not be told what this one was told.
                await JoinTokens.WithdrawForAsync(db, known, now, stop);
                await db.Intents.Where(i => i.Node == known).ExecuteDeleteAsync(stop);
                await db.PairMembers.Where(m => m.Node == known).ExecuteDeleteAsync(stop);
                await db.Nodes.Where(n => n.Name == known).ExecuteDeleteAsync(stop);
                ended = await operations.RemoveAsync(db, known, actor, stop);
                foreach (var other in others)
                {
                    await other.RemoveAsync(db, known, stop);
                }
            }, cancellationToken);
            removed = true;
            await operations.RemovedAsync(known, ended);
            foreach (var other in others)
            {
                await other.RemovedAsync(known);
            }

            if (node is not null)
            {
                services.Register.Set(node.WithoutValid() with { RemovedAt = now });
            }

            await services.Fleet.PostAsync(new FleetMessage.NodeRemoved(known), CancellationToken.None);
            var text = $"{known} was removed from the hub by {actor.Name}: {Sentence(draft.Reason ?? "")} Its history stays.";
            Tell(EventKinds.NodeRemoved, known, text, EventSeverity.Info);
            return new NodeChange.Done(text);
        }
        finally
        {
            if (!removed)
            {
                await services.Fleet.PostAsync(new FleetMessage.NodeHeld(known, null), CancellationToken.None);
            }
        }
    }

    private async Task<NodeChange> RenameAsync(RegisteredNode node, string newName, AuditDraft draft, Actor actor, CancellationToken cancellationToken)
    {
        // First nobody speaks for it under the old name any more, and what was said under it is on the disk.
        await services.Fleet.PostAsync(new FleetMessage.NodeHeld(node.Name, $"'{node.Name}' is getting another name. Dial again."), cancellationToken);
        var renamed = false;
        try
        {
            await services.Fleet.WaitUntilAsync(s => s.Facts.Nodes.GetValueOrDefault(node.Name) is not { Held: null }, cancellationToken);

            // No operation begins meanwhile, so a disk that takes nothing is not waited for as long as it does.
            using var late = new CancellationTokenSource(FlushWithin, services.Time);
            using var until = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
            try
            {
                await writer.FlushAsync(until.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return new NodeChange.NotAudited("The hub cannot write its history now. Nothing was done.");
            }

            var old = node.Name;
            if (await operations.AgainstRenamingAsync(old, cancellationToken) is { } unsettled)
            {
                return await desk.RefuseAsync(draft, unsettled, cancellationToken);
            }

            IReadOnlyList<WaitingOperation> waiting = [];
            await services.Audit.ChangeAsync(draft with { After = $$"""{"name":"{{newName}}"}""" }, async (db, stop) =>
            {
                var key = IdentityRecords.KeyOf(newName);
                await db.NodeIdentities.Where(n => n.NodeId == node.NodeId).ExecuteUpdateAsync(set => set.SetProperty(n => n.Name, newName).SetProperty(n => n.NameKey, key), stop);
                await db.Nodes.Where(n => n.Name == old).ExecuteUpdateAsync(set => set.SetProperty(n => n.Name, newName), stop);
                await db.PairMembers.Where(m => m.Node == old).ExecuteUpdateAsync(set => set.SetProperty(m => m.Node, newName), stop);
                await db.Pairs.Where(p => p.PreferredNode == old).ExecuteUpdateAsync(set => set.SetProperty(p => p.PreferredNode, newName), stop);
                await db.Pairs.Where(p => p.MovedTo == old).ExecuteUpdateAsync(set => set.SetProperty(p => p.MovedTo, newName), stop);
                await db.Intents.Where(i => i.Node == old).ExecuteUpdateAsync(set => set.SetProperty(i => i.Node, newName), stop);
                await RenameJournalAsync(db, old, newName, stop);
                await JoinTokens.RenameAsync(db, old, newName, stop);
                waiting = await operations.RenameAsync(db, old, newName, stop);
                foreach (var other in others)
                {
                    await other.RenameAsync(db, old, newName, stop);
                }
            }, cancellationToken);
            renamed = true;
            operations.Renamed(old, newName, waiting);
            foreach (var other in others)
            {
                await other.RenamedAsync(old, newName);
            }

            services.Register.Set(node with { Name = newName });
            await services.Fleet.PostAsync(new FleetMessage.NodeRenamed(old, newName), CancellationToken.None);
            var text = $"{old} is called {newName} from now on, says {actor.Name}: {Sentence(draft.Reason ?? "")} What happened before stands under {old}.";
            Tell(EventKinds.NodeRenamed, newName, text, EventSeverity.Info);
            Tell(EventKinds.NodeRenamed, old, text, EventSeverity.Info);
            return new NodeChange.Done(text);
        }
        finally
        {
            if (!renamed)
            {
                await services.Fleet.PostAsync(new FleetMessage.NodeHeld(node.Name, null), CancellationToken.None);
            }
        }
    }

    // A machine that was removed and has joined again under another name has told of the same boot under both: of its two numbers the larger one says what the hub has.
    private static async Task RenameJournalAsync(HubDbContext db, string old, string newName, CancellationToken stop)
    {
        var left = await db.JournalPositions.AsNoTracking().Where(j => j.Node == newName && db.JournalPositions.Any(o => o.Node == old && o.BootId == j.BootId)).ToListAsync(stop);
        foreach (var (boot, sequence) in left.Select(j => (j.BootId, j.Sequence)))
        {
            await db.JournalPositions.Where(j => j.Node == newName && j.BootId == boot).ExecuteDeleteAsync(stop);
            await db.JournalPositions.Where(j => j.Node == old && j.BootId == boot && j.Sequence < sequence).ExecuteUpdateAsync(set => set.SetProperty(j => j.Sequence, sequence), stop);
        }

        await db.JournalPositions.Where(j => j.Node == old).ExecuteUpdateAsync(set => set.SetProperty(j => j.Node, newName), stop);
    }

    // First this lock, then the desk's; whoever takes both takes them so.
    private async Task<NodeChange> AloneAsync(Func<Task<NodeChange>> change, CancellationToken cancellationToken)
    {
        await operations.Admission.WaitAsync(cancellationToken);
        try
        {
            return await change();
        }
        finally
        {
            operations.Admission.Release();
        }
    }

    private void Tell(string kind, string node, string text, EventSeverity severity) => services.Events.Append(new EventDraft
    {
        At = services.Time.GetUtcNow(),
        Kind = kind,
        Severity = severity,
        Node = node,
        Pair = services.Fleet.State.Facts.PairOf(node)?.Name,
        Text = text,
    });

    private static string Sentence(string reason) => reason.Trim() is var text && (text.EndsWith('.') || text.EndsWith('!') || text.EndsWith('?')) ? text : $"{text}.";
}
