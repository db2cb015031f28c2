using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
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

    public sealed record NotFound(string What) : NodeChange;

    public sealed record NotAudited(string Why) : NodeChange;
}

/// <summary>
/// What an operator does to the table of nodes: revoke, rename, remove. None of it touches what a node announces. A refused attempt is audited as well.
/// </summary>
internal sealed class NodeChanges(NodeDeskServices services, NodeDesk desk, HubWriter writer)
{
    public const int ShortestReason = 3;

    /// <summary>Makes every certificate of the node worthless at once, and drops its stream.</summary>
    public Task<NodeChange> RevokeAsync(string name, string reason, Actor actor, CancellationToken cancellationToken) => ChangeAsync(
        name, reason, "certificate-revoked", actor,
        node => node is null ? $"{name} has no certificate, so there is nothing to revoke."
            : node.RevokedAt is not null ? $"The certificate of {node.Name} is revoked already."
            : null,
        async (known, draft) =>
        {
            var now = services.Time.GetUtcNow();
            var node = known!.WithoutValid() with { RevokedAt = now, RevokedReason = Sentence(reason) };
            await services.Audit.ChangeAsync(draft, async (db, stop) =>
            {
                var ms = now.ToUnixTimeMilliseconds();
                await db.NodeCertificates.Where(c => c.NodeId == node.NodeId && c.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(c => c.RevokedAtMs, ms), stop);
                await db.NodeIdentities.Where(n => n.NodeId == node.NodeId)
                    .ExecuteUpdateAsync(set => set.SetProperty(n => n.RevokedAtMs, ms).SetProperty(n => n.RevokedReason, node.RevokedReason), stop);
            }, cancellationToken);
            services.Register.Set(node);
            var refusal = (CertificateVerdict.Refused)CertificateJudge.Judge(
                new PresentedCertificate(CertificateStanding.Ours, node.NodeId, node.Certificates[0].Serial, now, node.Certificates[0].NotAfter), services.Register.FindById, now);
            await services.Fleet.PostAsync(new FleetMessage.IdentityChanged(node.Name, node.ToFacts(), refusal.Why), CancellationToken.None);
            var text = $"The certificate of {node.Name} was revoked by {actor.Name}: {node.RevokedReason} Its stream is dropped; it goes on announcing what it was last told.";
            Tell(EventKinds.NodeRevoked, node.Name, text, EventSeverity.Warning);
            return text;
        },
        cancellationToken);

    /// <summary>Gives the node another name. Its certificate stays, its history keeps the old name, and it dials again.</summary>
    public Task<NodeChange> RenameAsync(string name, string newName, string reason, Actor actor, CancellationToken cancellationToken) => ChangeAsync(
        name, reason, "node-renamed", actor,
        node => node is null ? $"{name} has no certificate: its agent says what it is called. Change --node there."
            : !NodeNames.IsGood(newName) ? NodeNames.Problem(newName)
            : string.Equals(node.Name, newName, StringComparison.Ordinal) ? $"It is called {newName} already."
            : !string.Equals(node.Name, newName, StringComparison.OrdinalIgnoreCase) && services.Fleet.State.Facts.Nodes.ContainsKey(newName) ? $"There is another node {newName}. Choose another name, or remove that one."
            : services.Fleet.State.Facts.PairOf(node.Name)?.Running is { } running ? $"An operation of its pair is under way ({running.Title}). Wait for its end."
            : null,
        (node, draft) => RenameAsync(node!, newName, draft, actor, cancellationToken),
        cancellationToken);

    /// <summary>Forgets the node. Only one that is not connected: it would be gone from the screen and announce all the same.</summary>
    public Task<NodeChange> RemoveAsync(string name, string reason, Actor actor, CancellationToken cancellationToken) => ChangeAsync(
        name, reason, "node-removed", actor,
        _ => services.Fleet.State.Facts is var facts && facts.Nodes.GetValueOrDefault(name)?.Stream is not null
            ? $"{name} is connected. Drain it and stop its agent first, or revoke its certificate: what nobody sees any more should announce nothing."
            : facts.PairOf(name)?.Running is { } running ? $"An operation of its pair is under way ({running.Title}). Wait for its end."
            : null,
        async (node, draft) =>
        {
            var now = services.Time.GetUtcNow();
            var known = services.Fleet.State.Facts.Nodes.GetValueOrDefault(name)?.Name ?? name;
            await services.Audit.ChangeAsync(draft, async (db, stop) =>
            {
                var ms = now.ToUnixTimeMilliseconds();
                if (node is not null)
                {
                    await db.NodeIdentities.Where(n => n.NodeId == node.NodeId).ExecuteUpdateAsync(set => set.SetProperty(n => n.RemovedAtMs, ms), stop);
                    await db.NodeCertificates.Where(c => c.NodeId == node.NodeId && c.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(c => c.RevokedAtMs, ms), stop);
                }

                // Another machine that gets this name one day must not be told what this one was told.
                await db.JoinTokens.Where(t => t.Node == known && t.UsedAtMs == null && t.WithdrawnAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(t => t.WithdrawnAtMs, ms), stop);
                await db.Intents.Where(i => i.Node == known).ExecuteDeleteAsync(stop);
                await db.PairMembers.Where(m => m.Node == known).ExecuteDeleteAsync(stop);
                await db.Nodes.Where(n => n.Name == known).ExecuteDeleteAsync(stop);
            }, cancellationToken);
            if (node is not null)
            {
                services.Register.Set(node.WithoutValid() with { RemovedAt = now });
            }

            await services.Fleet.PostAsync(new FleetMessage.NodeRemoved(known), CancellationToken.None);
            var text = $"{known} was removed from the hub by {actor.Name}: {Sentence(reason)} Its history stays.";
            Tell(EventKinds.NodeRemoved, known, text, EventSeverity.Info);
            return text;
        },
        cancellationToken);

    private async Task<string> RenameAsync(RegisteredNode node, string newName, AuditDraft draft, Actor actor, CancellationToken cancellationToken)
    {
        // First nobody speaks for it under the old name any more, and what was said under it is on the disk.
        await services.Fleet.PostAsync(new FleetMessage.NodeHeld(node.Name, $"'{node.Name}' is getting another name. Dial again."), cancellationToken);
        var renamed = false;
        try
        {
            await services.Fleet.WaitUntilAsync(s => s.Facts.Nodes.GetValueOrDefault(node.Name) is not { Held: null }, cancellationToken);
            await writer.FlushAsync(cancellationToken);
            var old = node.Name;
            await services.Audit.ChangeAsync(draft with { After = $$"""{"name":"{{newName}}"}""" }, async (db, stop) =>
            {
                var key = IdentityRecords.KeyOf(newName);
                await db.NodeIdentities.Where(n => n.NodeId == node.NodeId).ExecuteUpdateAsync(set => set.SetProperty(n => n.Name, newName).SetProperty(n => n.NameKey, key), stop);
                await db.Nodes.Where(n => n.Name == old).ExecuteUpdateAsync(set => set.SetProperty(n => n.Name, newName), stop);
                await db.PairMembers.Where(m => m.Node == old).ExecuteUpdateAsync(set => set.SetProperty(m => m.Node, newName), stop);
                await db.Pairs.Where(p => p.PreferredNode == old).ExecuteUpdateAsync(set => set.SetProperty(p => p.PreferredNode, newName), stop);
                await db.Pairs.Where(p => p.MovedTo == old).ExecuteUpdateAsync(set => set.SetProperty(p => p.MovedTo, newName), stop);
                await db.Intents.Where(i => i.Node == old).ExecuteUpdateAsync(set => set.SetProperty(i => i.Node, newName), stop);
                await db.JournalPositions.Where(j => j.Node == old).ExecuteUpdateAsync(set => set.SetProperty(j => j.Node, newName), stop);
                await db.JoinTokens.Where(t => t.Node == old && t.UsedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(t => t.Node, newName), stop);
            }, cancellationToken);
            renamed = true;
            services.Register.Set(node with { Name = newName });
            await services.Fleet.PostAsync(new FleetMessage.NodeRenamed(old, newName), CancellationToken.None);
            var text = $"{old} is called {newName} from now on, says {actor.Name}: {Sentence(draft.Reason ?? "")} What happened before stands under {old}.";
            Tell(EventKinds.NodeRenamed, newName, text, EventSeverity.Info);
            Tell(EventKinds.NodeRenamed, old, text, EventSeverity.Info);
            return text;
        }
        finally
        {
            if (!renamed)
            {
                await services.Fleet.PostAsync(new FleetMessage.NodeHeld(node.Name, null), CancellationToken.None);
            }
        }
    }

    private async Task<NodeChange> ChangeAsync(
        string name, string reason, string action, Actor actor, Func<RegisteredNode?, string?> against, Func<RegisteredNode?, AuditDraft, Task<string>> change, CancellationToken cancellationToken)
    {
        var draft = new AuditDraft { Actor = actor, Action = action, Target = AuditTarget.Node(name), Reason = reason.Trim(), Outcome = "accepted" };
        await desk.Gate.WaitAsync(cancellationToken);
        try
        {
            var node = services.Register.FindByName(name);
            if (node is null && !services.Fleet.State.Facts.Nodes.ContainsKey(name))
            {
                return new NodeChange.NotFound($"No node is called '{name}'.");
            }

            var why = reason.Trim().Length < ShortestReason ? $"Say why: at least {ShortestReason} characters." : against(node);
            if (why is not null)
            {
                await services.Audit.WriteAsync(draft with { Outcome = $"refused: {why}" }, cancellationToken);
                return new NodeChange.Refused(why);
            }

            return new NodeChange.Done(await change(node, node is null ? draft : draft with { Before = $$"""{"nodeId":"{{node.NodeId}}","name":"{{node.Name}}"}""" }));
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return new NodeChange.NotAudited($"The hub cannot write its audit ({e.GetBaseException().Message}). Nothing was done.");
        }
        finally
        {
            desk.Gate.Release();
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
