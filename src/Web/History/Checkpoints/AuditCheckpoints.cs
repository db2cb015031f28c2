using FailoverHub.Web.Data;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.History.Checkpoints;

/// <summary>What came of making a checkpoint.</summary>
/// <param name="Made">The new one; null: none was made.</param>
/// <param name="Broken">What is wrong with the chain, which therefore is not signed; null: nothing.</param>
internal readonly record struct CheckpointOutcome(AuditCheckpoint? Made, AuditProblem? Broken);

/// <summary>
/// Signs the head of the audit's chain and keeps the signature. What came since the last checkpoint is checked first: a broken chain is not
/// signed, so that a checkpoint always stands for a chain that was whole when it was made. Nor is a whole one in which the checkpoint that the hub remembers is missing,
/// or another key than its own has signed: somebody who has the database alone would else get the hub's signature under a past that he has written.
/// </summary>
internal sealed class AuditCheckpoints(IDbContextFactory<HubDbContext> factory, AuditLog audit, AuditKey key, AuditMemory memory, TimeProvider time)
{
    /// <summary>Action of the audit entry of somebody who asks for one.</summary>
    public const string Action = "audit-checkpoint";

    /// <summary>Makes one, unless the head is signed already.</summary>
    /// <exception cref="DbUpdateException">It could not be written.</exception>
    public async Task<CheckpointOutcome> MakeAsync(CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        var known = await KnownAsync(db, cancellationToken);
        var last = await LastAsync(db, cancellationToken);
        var verifier = await CheckSinceAsync(db, known, last, cancellationToken);
        if (verifier.Finish() is { Intact: false } broken)
        {
            return new CheckpointOutcome(null, broken.Problems[0]);
        }

        if (last is not null)
        {
            // Of a hub that was killed before it could remember it.
            Remember(last);
        }

        if (verifier.LastId == 0 || (last?.EntryId == verifier.LastId && last.KeyId == key.Id))
        {
            return default;
        }

        var made = Sign(verifier.LastId, verifier.LastHash);
        db.AuditCheckpoints.Add(made);
        await db.SaveChangesAsync(cancellationToken);
        Remember(made);
        return new CheckpointOutcome(HistoryRecords.ToCheckpoint(made), null);
    }

    /// <summary>Makes one because somebody asks for it: that is audited, and is the entry that is signed.</summary>
    /// <exception cref="DbUpdateException">It could not be written; nothing was done.</exception>
    public async Task<CheckpointOutcome> MakeForAsync(Actor actor, string? reason, CancellationToken cancellationToken)
    {
        await using (var db = await factory.CreateDbContextAsync(cancellationToken))
        {
            var known = await KnownAsync(db, cancellationToken);
            if ((await CheckSinceAsync(db, known, await LastAsync(db, cancellationToken), cancellationToken)).Finish() is { Intact: false } broken)
            {
                await audit.WriteAsync(Draft(actor, reason, $"refused: the chain is broken: {broken.Problems[0].Text}"), cancellationToken);
                return new CheckpointOutcome(null, broken.Problems[0]);
            }
        }

        AuditCheckpointEntity? made = null;
        await audit.ChangeAsync(
            Draft(actor, reason, "accepted"),
            (db, _) =>
            {
                var head = db.Audit.Local.MaxBy(a => a.Id)!;
                made = Sign(head.Id, head.Hash);
                db.AuditCheckpoints.Add(made);
                return Task.CompletedTask;
            },
            cancellationToken);
        Remember(made!);
        return new CheckpointOutcome(HistoryRecords.ToCheckpoint(made!), null);
    }

    /// <summary>The newest; null: none was ever made.</summary>
    public async Task<AuditCheckpoint?> LastAsync(CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);
        return await LastAsync(db, cancellationToken) is { } last ? HistoryRecords.ToCheckpoint(last) : null;
    }

    /// <summary>Makes sure that the hub knows which signatures are its own. Without that knowledge (an older version made them, or its file was moved away) it believes the database once.</summary>
    /// <returns>The newest checkpoint that it now believes to be its own; null: it knew already, or there is none.</returns>
    public async Task<AuditCheckpoint?> TakeUpAsync(CancellationToken cancellationToken)
    {
        await using var db = await factory.CreateDbContextAsync(cancellationToken);

        // What is signed from here on, by whomever of this hub, is known to it.
        var believed = memory.Current is null ? await LastAsync(db, cancellationToken) : null;
        await KnownAsync(db, cancellationToken);
        return believed is null ? null : HistoryRecords.ToCheckpoint(believed);
    }

    /// <summary>Whether that key is one of the hub's own, as far as is known.</summary>
    public bool IsOwn(string keyId) => memory.Current?.Keys.Contains(keyId) == true;

    // The key that the hub has now is always its own; whoever can replace that file could have signed with it as well.
    private async Task<RememberedSignatures> KnownAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        if (memory.Current is { } known)
        {
            return known.Keys.Contains(key.Id) ? known : memory.Remember([key.Id], null);
        }

        var last = await LastAsync(db, cancellationToken);
        var keys = await db.AuditCheckpoints.GroupBy(c => c.KeyId).OrderBy(g => g.Min(c => c.Id)).Select(g => g.Key).ToListAsync(cancellationToken);
        return memory.Remember(keys.Append(key.Id), last is null ? null : SignedHead.Of(HistoryRecords.ToCheckpoint(last)));
    }

    private void Remember(AuditCheckpointEntity signed) => memory.Remember([], SignedHead.Of(HistoryRecords.ToCheckpoint(signed)));

    private static AuditDraft Draft(Actor actor, string? reason, string outcome) => new() { Actor = actor, Action = Action, Target = "audit", Reason = string.IsNullOrWhiteSpace(reason) ? null : reason.Trim(), Outcome = outcome };

    private AuditCheckpointEntity Sign(long entryId, string entryHash)
    {
        long at = time.GetUtcNow().ToUnixTimeMilliseconds();
        return new AuditCheckpointEntity
        {
            AtMs = at,
            EntryId = entryId,
            EntryHash = entryHash,
            KeyId = key.Id,
            PublicKey = key.PublicKey,
            Signature = key.Sign(CheckpointSignature.Signed(entryId, entryHash, at, key.Id)),
        };
    }

    private static Task<AuditCheckpointEntity?> LastAsync(HubDbContext db, CancellationToken cancellationToken) =>
        db.AuditCheckpoints.AsNoTracking().OrderByDescending(c => c.Id).FirstOrDefaultAsync(cancellationToken);

    private static async Task<bool> IsThereAsync(HubDbContext db, SignedHead head, CancellationToken cancellationToken) =>
        await db.AuditCheckpoints.AnyAsync(c => c.EntryId == head.EntryId && c.EntryHash == head.EntryHash && c.KeyId == head.KeyId, cancellationToken)
        && await db.Audit.AsNoTracking().SingleOrDefaultAsync(a => a.Id == head.EntryId, cancellationToken) is { } entry
        && entry.Hash == head.EntryHash;

    // The signed entry itself is looked at again: it may have been changed, or cut off with all that followed.
    private static async Task<AuditVerifier> CheckSinceAsync(HubDbContext db, RememberedSignatures known, AuditCheckpointEntity? last, CancellationToken cancellationToken)
    {
        var signed = last is null ? null : await db.Audit.AsNoTracking().SingleOrDefaultAsync(a => a.Id == last.EntryId, cancellationToken);
        var keys = known.Keys.ToHashSet(StringComparer.Ordinal);
        var verifier = signed is null ? new AuditVerifier(keys) { MayBeUnsigned = true } : new AuditVerifier(keys, signed.Id - 1, signed.PreviousHash);
        if (known.Last is { } head && !await IsThereAsync(db, head, cancellationToken))
        {
            verifier.Problem(head.EntryId, SignedHead.Gone);
        }

        if (last is not null && signed is null)
        {
            verifier.Problem(last.EntryId, "was signed by the last checkpoint and is not there any more");
            return verifier;
        }

        if (last is not null)
        {
            verifier.Add(signed!);
            verifier.Add(HistoryRecords.ToCheckpoint(last));
        }

        long after = verifier.LastId;
        await foreach (var entry in db.Audit.AsNoTracking().Where(a => a.Id > after).OrderBy(a => a.Id).AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            verifier.Add(entry);
        }

        return verifier;
    }
}
