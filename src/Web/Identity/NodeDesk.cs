using System.Net;
using System.Security.Cryptography.X509Certificates;
using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Identity;

/// <summary>What a node that joins has sent.</summary>
/// <param name="Token">As it came.</param>
/// <param name="Node">A good name.</param>
/// <param name="Request">The certificate request as it came: only who has a good token makes the hub read it.</param>
/// <param name="AgentVersion">As the agent says.</param>
/// <param name="Address">Where it comes from.</param>
internal sealed record JoinAttempt(string Token, string Node, ReadOnlyMemory<byte> Request, string AgentVersion, IPAddress? Address);

/// <summary>What a node gets.</summary>
internal sealed record Membership(RegisteredNode Node, IssuedNodeCertificate Certificate);

/// <summary>What came of an attempt to join or to renew. A closed family.</summary>
internal abstract record EnrollmentResult
{
    private EnrollmentResult()
    {
    }

    public sealed record Issued(Membership Membership) : EnrollmentResult;

    /// <summary>Unknown, used, withdrawn, expired or for another name: whoever guesses learns nothing from it.</summary>
    public sealed record BadToken : EnrollmentResult;

    /// <summary>The token is good, and stays so; the certificate request is none.</summary>
    public sealed record BadRequest(string Why) : EnrollmentResult;

    public sealed record NameTaken(string Why) : EnrollmentResult;

    public sealed record TooOften(string Why) : EnrollmentResult;

    public sealed record NotAudited(string Why) : EnrollmentResult;
}

/// <summary>What the desk needs of the hub.</summary>
internal sealed record NodeDeskServices(HubIdentity Identity, NodeRegister Register, JoinTokens Tokens, AuditLog Audit, FleetStore Fleet, EventLog Events, TimeProvider Time, AgentsEndpoint Endpoint);

/// <summary>
/// The one owner of the table of nodes, one change at a time: joins and renewals here, revocation, renaming and removal in
/// <see cref="NodeChanges"/>. First the transaction with its audit entry, then the table in memory, then the present.
/// </summary>
internal sealed partial class NodeDesk(NodeDeskServices services, WrongTokens wrong, OpenJoinTokens open, AccessAudit refusals, ILogger<NodeDesk> logger)
{
    /// <summary>Certificates of one node in an hour; an agent that asks for more has a defect.</summary>
    private const int RenewalsPerHour = 6;

    // Names of nodes have 63 characters at most; what is longer is no name and is cut.
    private const int LongestName = 100;

    private const string Joined = "node-joined";

    private const string TokenHelp = "Make a new one on the page 'Add a node' or with `failoverhub join-token create`.";

    /// <summary>One change of the table at a time.</summary>
    private SemaphoreSlim Gate { get; } = new(1);

    public async Task<EnrollmentResult> JoinAsync(JoinAttempt attempt, CancellationToken cancellationToken)
    {
        var actor = Nobody(attempt);
        try
        {
            var token = JoinToken.Parse(attempt.Token);

            // One that is good is taken from any address: whoever guesses behind the same one keeps nobody out.
            if (wrong.IsBlocked(attempt.Address, out var isNews) && !(token is not null && await open.ContainsAsync(token, cancellationToken)))
            {
                return await BlockedAsync(attempt, actor, isNews, cancellationToken);
            }

            if (token is null || await services.Tokens.FindGoodAsync(token, attempt.Node, cancellationToken) is not { } info)
            {
                return await WrongAsync(attempt, actor, cancellationToken);
            }

            if (NodeCertificates.KeyOf(attempt.Request.Span, out var problem) is not { } key)
            {
                return new EnrollmentResult.BadRequest(problem!);
            }

            await Gate.WaitAsync(cancellationToken);
            try
            {
                return await JoinAsync(attempt, key, info, cancellationToken);
            }
            finally
            {
                Gate.Release();
            }
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return new EnrollmentResult.NotAudited($"The hub cannot write its audit ({e.GetBaseException().Message}), so nobody joins. A good token stays good.");
        }
    }

    /// <summary>The next certificate for the one that this is.</summary>
    public async Task<EnrollmentResult> RenewAsync(CertificateVerdict.Known known, PublicKey key, IPAddress? address, CancellationToken cancellationToken)
    {
        await Gate.WaitAsync(cancellationToken);
        try
        {
            var now = services.Time.GetUtcNow();

            // What was looked at before the gate may have changed in front of it.
            if (services.Register.FindById(known.Node.NodeId) is not { RevokedAt: null, RemovedAt: null } node || !node.Certificates.Any(c => c.Serial == known.Serial && !c.IsRevoked))
            {
                return new EnrollmentResult.BadToken();
            }

            await using var db = await services.Tokens.OpenDatabaseAsync(cancellationToken);
            var hourAgo = (now - TimeSpan.FromHours(1)).ToUnixTimeMilliseconds();
            if (await db.NodeCertificates.CountAsync(c => c.NodeId == node.NodeId && c.IssuedAtMs > hourAgo, cancellationToken) >= RenewalsPerHour)
            {
                return new EnrollmentResult.TooOften($"'{node.Name}' has got {RenewalsPerHour} certificates within an hour. Try again in an hour; the one that it has stays good.");
            }

            var draft = new AuditDraft { Actor = new Actor($"node {node.Name}", address?.ToString(), null), Action = "certificate-renewed", Target = AuditTarget.Node(node.Name), Outcome = "accepted" };
            return await IssueAsync(node, key, isRenewal: true, draft, _ => Task.CompletedTask, "A newer certificate took its place.", cancellationToken, known.Serial);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return new EnrollmentResult.NotAudited($"The hub cannot write its audit ({e.GetBaseException().Message}), so it issues nothing.");
        }
        finally
        {
            Gate.Release();
        }
    }

    /// <summary>One change of the table: who asks for it may administer and gives a reason, and what is refused is audited too.</summary>
    /// <param name="name">Name of the node.</param>
    /// <param name="reason">Why, at least <see cref="NodeChanges.ShortestReason"/> characters.</param>
    /// <param name="action">For the audit.</param>
    /// <param name="actor">Who asks.</param>
    /// <param name="against">Why it must not be, null: it may; asked when nobody else changes the table. Null as node: it has no certificate.</param>
    /// <param name="change">Does it, and writes the audit entry in the same transaction.</param>
    /// <param name="cancellationToken">Stops it while nothing is committed.</param>
    internal async Task<NodeChange> ChangeAsync(
        string name, string reason, string action, Actor actor, Func<RegisteredNode?, string?> against, Func<RegisteredNode?, AuditDraft, Task<NodeChange>> change, CancellationToken cancellationToken)
    {
        var draft = new AuditDraft { Actor = actor, Action = action, Target = AuditTarget.Node(name), Reason = reason.Trim(), Outcome = "accepted" };
        await Gate.WaitAsync(cancellationToken);
        try
        {
            if (!actor.MayAdminister)
            {
                await services.Audit.WriteAsync(draft with { Target = AuditTarget.Node(Cut.To(name, LongestName)), Outcome = $"refused: {Actor.NeedsAdmin}" }, cancellationToken);
                return new NodeChange.Forbidden(Actor.NeedsAdmin);
            }

            var node = services.Register.FindByName(name);
            if (node is null && !services.Fleet.State.Facts.Nodes.ContainsKey(name))
            {
                await services.Audit.WriteAsync(draft with { Target = AuditTarget.Node(Cut.To(name, LongestName)), Outcome = "refused: no node is called so" }, cancellationToken);
                return new NodeChange.NotFound($"No node is called '{name}'.");
            }

            var why = reason.Trim().Length < NodeChanges.ShortestReason ? $"Say why: at least {NodeChanges.ShortestReason} characters." : against(node);
            return why is not null
                ? await RefuseAsync(draft, why, cancellationToken)
                : await change(node, node is null ? draft : draft with { Before = $$"""{"nodeId":"{{node.NodeId}}","name":"{{node.Name}}"}""" });
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            return new NodeChange.NotAudited($"The hub cannot write its audit ({e.GetBaseException().Message}). Nothing was done.");
        }
        finally
        {
            Gate.Release();
        }
    }

    internal async Task<NodeChange> RefuseAsync(AuditDraft draft, string why, CancellationToken cancellationToken)
    {
        await services.Audit.WriteAsync(draft with { Outcome = $"refused: {why}" }, cancellationToken);
        return new NodeChange.Refused(why);
    }

    private async Task<EnrollmentResult> JoinAsync(JoinAttempt attempt, PublicKey key, JoinTokenInfo token, CancellationToken cancellationToken)
    {
        var actor = new Actor($"join token {token.Id} of {token.CreatedBy}", attempt.Address?.ToString(), null);
        var existing = services.Register.FindByName(attempt.Node);
        if (existing is not null && !token.ForExisting)
        {
            var why = $"There is a node '{existing.Name}' already. If this is that node, use a token made for it: `failoverhub join-token create --node {existing.Name} --for-existing`. If not, choose another name with --node. The token is still good.";

            // The token stays good, so that it could be tried without end: an address is written down as often as one with wrong tokens, and then counted.
            var often = wrong.IsBlocked(attempt.Address, out _);
            wrong.Note(attempt.Address);
            if (often)
            {
                refusals.Count(Joined, actor);
            }
            else
            {
                await refusals.RefuseAsync(Draft(actor, attempt.Node, $"refused: {why}"), cancellationToken);
            }

            return new EnrollmentResult.NameTaken(why);
        }

        if (existing is null && token.ForExisting)
        {
            return await WrongAsync(attempt, Nobody(attempt), cancellationToken, "the join token gives a node that there is a new certificate, and no node is called so now");
        }

        var now = services.Time.GetUtcNow();
        var node = existing is null
            ? new RegisteredNode { NodeId = Guid.CreateVersion7(now).ToString("N"), Name = attempt.Node, JoinedAt = now, Certificates = [], Renewals = 0 }
            : existing.WithoutValid() with { RevokedAt = null, RevokedReason = null };
        var draft = new AuditDraft
        {
            Actor = actor,
            Action = existing is null ? "node-joined" : "node-rejoined",
            Target = AuditTarget.Node(node.Name),
            Before = existing is null ? null : $$"""{"serial":"{{existing.Certificates[0].Serial}}","revoked":{{(existing.RevokedAt is null ? "false" : "true")}}}""",
            Outcome = "accepted",
        };
        EnrollmentResult result;
        try
        {
            result = await IssueAsync(
                node,
                key,
                isRenewal: false,
                draft,
                async db =>
                {
                    await services.Tokens.TakeAsync(db, token.Id, node.Name, cancellationToken);
                    if (existing is null)
                    {
                        db.NodeIdentities.Add(IdentityRecords.ToEntity(node));
                        return;
                    }

                    var ms = now.ToUnixTimeMilliseconds();
                    await db.NodeCertificates.Where(c => c.NodeId == node.NodeId && c.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(c => c.RevokedAtMs, ms), cancellationToken);
                    await db.NodeIdentities.Where(n => n.NodeId == node.NodeId)
                        .ExecuteUpdateAsync(set => set.SetProperty(n => n.RevokedAtMs, (long?)null).SetProperty(n => n.RevokedReason, (string?)null), cancellationToken);
                },
                $"'{node.Name}' has joined again with a new certificate, and the one of this stream is not taken any more.",
                cancellationToken);
        }
        catch (DbUpdateConcurrencyException)
        {
            // Somebody else was faster; for this one the token is used.
            return await WrongAsync(attempt, Nobody(attempt), cancellationToken);
        }

        services.Events.Append(new EventDraft
        {
            At = now,
            Kind = EventKinds.NodeJoined,
            Node = node.Name,
            Text = existing is null
                ? $"{node.Name} joined from {attempt.Address?.ToString() ?? "an unknown address"} with a token of {token.CreatedBy}."
                : $"{node.Name} got a new certificate from {attempt.Address?.ToString() ?? "an unknown address"} with a token of {token.CreatedBy}; the ones before are not taken any more.",
        });
        return result;
    }

    private async Task<EnrollmentResult> IssueAsync(
        RegisteredNode node, PublicKey key, bool isRenewal, AuditDraft draft, Func<HubDbContext, Task> change, string whyOthersEnd, CancellationToken cancellationToken, string? presented = null)
    {
        var now = services.Time.GetUtcNow();
        var issued = NodeCertificates.Issue(services.Identity.Authority, key, node.Name, node.NodeId, now, services.Endpoint.CertificateLifetime);
        var row = new RegisteredCertificate(issued.Serial, now, issued.NotAfter, isRenewal, false);
        var changed = node.WithNew(row, presented);
        var audited = draft with { After = $$"""{"nodeId":"{{node.NodeId}}","serial":"{{issued.Serial}}","notAfter":"{{issued.NotAfter.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}}"}""" };
        await services.Audit.ChangeAsync(audited, async (db, _) =>
        {
            await change(db);

            // What is pushed out stays out after a restart too.
            var (kept, ms) = (changed.Certificates.Select(c => c.Serial).ToArray(), now.ToUnixTimeMilliseconds());
            await db.NodeCertificates.Where(c => c.NodeId == node.NodeId && c.RevokedAtMs == null && !kept.Contains(c.Serial)).ExecuteUpdateAsync(set => set.SetProperty(c => c.RevokedAtMs, ms), cancellationToken);
            db.NodeCertificates.Add(IdentityRecords.ToEntity(node.NodeId, row));
        }, cancellationToken);

        // It is done: from here on nothing is stopped half-way.
        services.Register.Set(changed);
        await services.Fleet.PostAsync(new FleetMessage.IdentityChanged(changed.Name, changed.ToFacts(), whyOthersEnd), CancellationToken.None);
        return new EnrollmentResult.Issued(new Membership(changed, issued));
    }

    private async Task<EnrollmentResult> BlockedAsync(JoinAttempt attempt, Actor actor, bool isNews, CancellationToken cancellationToken)
    {
        if (isNews)
        {
            LogBlocked(logger, attempt.Address?.ToString() ?? "an unknown address", WrongTokens.PerAddressAndMinute);
            await refusals.RefuseAsync(Draft(actor, attempt.Node, "refused: too many wrong join tokens from this address; further ones of this minute are counted and not looked up"), cancellationToken);
        }
        else
        {
            refusals.Count(Joined, actor);
        }

        return new EnrollmentResult.TooOften($"More than {WrongTokens.PerAddressAndMinute} wrong join tokens came from this address within a minute, and this one is not good either. Try again in a minute.");
    }

    private async Task<EnrollmentResult> WrongAsync(
        JoinAttempt attempt, Actor actor, CancellationToken cancellationToken, string why = "the join token is unknown, used, expired or for another name")
    {
        wrong.Note(attempt.Address);
        await refusals.RefuseAsync(Draft(actor, attempt.Node, $"refused: {why}. {TokenHelp}"), cancellationToken);
        return new EnrollmentResult.BadToken();
    }

    private static Actor Nobody(JoinAttempt attempt) => new("nobody", attempt.Address?.ToString(), null);

    private static AuditDraft Draft(Actor actor, string node, string outcome) => new() { Actor = actor, Action = Joined, Target = AuditTarget.Node(node), Outcome = outcome };

    [LoggerMessage(Level = LogLevel.Warning, Message = "More than {Limit} wrong join tokens came from {Address} within a minute; the rest of this minute's wrong ones are only counted; good ones are taken")]
    private static partial void LogBlocked(ILogger logger, string address, int limit);
}
