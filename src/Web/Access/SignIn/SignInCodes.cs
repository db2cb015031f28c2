using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>Codes of one-time sign-in links: 256 bits, 15 minutes, one use, stored hashed, every use audited and every misuse counted there.</summary>
internal sealed class SignInCodes(IDbContextFactory<HubDbContext> database, AccessAudit audit, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    private const int LongestCode = 100;

    /// <summary>Makes a code, audited in the same transaction; it is nowhere else than in the answer. Old ones are removed on the way.</summary>
    public async Task<string> CreateAsync(Actor actor, CancellationToken cancellationToken)
    {
        string code = Secret.New();
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var draft = new AuditDraft { Actor = actor, Action = "sign-in-link-created", Target = "hub", Outcome = "accepted" };
        await audit.ChangeAsync(draft, async (db, stop) =>
        {
            await db.SignInCodes.Where(c => c.ExpiresAtMs <= now).ExecuteDeleteAsync(stop);
            db.SignInCodes.Add(new SignInCodeEntity { Hash = Secret.Hash(code), CreatedAtMs = now, ExpiresAtMs = now + (long)Lifetime.TotalMilliseconds });
        }, cancellationToken);
        return code;
    }

    /// <summary>
    /// Uses the code up and opens the session. Of two uses at the same moment one succeeds. Whoever signs in is audited in the
    /// same transaction, so nobody is let in without a record.
    /// </summary>
    public async Task<SignInOutcome> UseAsync(string code, NewSession session, Actor actor, CancellationToken cancellationToken)
    {
        string hash = Secret.Hash(code.Length <= LongestCode ? code : "");
        try
        {
            if (await TryTakeAsync(hash, session, actor, cancellationToken))
            {
                return SignInOutcome.Accepted;
            }

            await audit.RefuseAsync(Draft(actor with { Name = "nobody" }, "refused: the code is unknown, used or expired"), cancellationToken);
            return SignInOutcome.Refused;
        }
        catch (Exception exception) when (StorageFaults.IsStorageFault(exception))
        {
            return SignInOutcome.NotAudited;
        }
    }

    private async Task<bool> TryTakeAsync(string hash, NewSession session, Actor actor, CancellationToken cancellationToken)
    {
        if (!await IsGoodAsync(hash, cancellationToken))
        {
            return false;
        }

        try
        {
            await audit.ChangeAsync(Draft(actor, "accepted"), async (db, stop) =>
            {
                await TakeAsync(db, hash, stop);
                await Sessions.OpenAsync(db, session, time.GetUtcNow(), stop);
            }, cancellationToken);
            return true;
        }
        catch (DbUpdateConcurrencyException)
        {
            // Somebody else was faster; for this one the code is used.
            return false;
        }
    }

    private static AuditDraft Draft(Actor actor, string outcome) =>
        new() { Actor = actor, Action = "sign-in", Target = "hub", Outcome = outcome };

    private async Task<bool> IsGoodAsync(string hash, CancellationToken cancellationToken)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        return await db.SignInCodes.AnyAsync(c => c.Hash == hash && c.UsedAtMs == null && c.ExpiresAtMs > now, cancellationToken);
    }

    private async Task TakeAsync(HubDbContext db, string hash, CancellationToken cancellationToken)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        int taken = await db.SignInCodes.Where(c => c.Hash == hash && c.UsedAtMs == null && c.ExpiresAtMs > now)
            .ExecuteUpdateAsync(set => set.SetProperty(c => c.UsedAtMs, now), cancellationToken);
        if (taken != 1)
        {
            throw new DbUpdateConcurrencyException("The code was used or expired between looking and taking.");
        }
    }
}

/// <summary>What came of using a code.</summary>
internal enum SignInOutcome
{
    /// <summary>It was good, and is used up.</summary>
    Accepted,

    /// <summary>It is unknown, used or too old.</summary>
    Refused,

    /// <summary>The audit cannot be written, so nobody is let in; a good code stays good.</summary>
    NotAudited,
}
