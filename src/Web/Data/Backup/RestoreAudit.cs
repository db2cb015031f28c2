using System.Globalization;
using System.Text.Json;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Data.Backup;

/// <summary>
/// The first start on a restored folder writes into audit and history that what follows continues an older past, and in the same transaction ends what an older past must
/// not open again: browsers that were signed in at the time of the backup, sign-ins under way, links and join tokens that may have been used since. API tokens go on, since
/// scripts have to, unless whoever restored it wanted otherwise; the audit names them. Once, also when it is cut short.
/// </summary>
internal sealed class RestoreAudit(DataFolder folder, IDbContextFactory<HubDbContext> factory, AuditLog audit, EventLog events, TimeProvider time) : IHostedService
{
    /// <summary>Action of the audit entry.</summary>
    public const string Action = "restore";

    /// <summary>Kind of the event.</summary>
    public const string Restored = "hub-restored";

    // The event is a sentence; the audit entry has them all.
    private const int Named = 20;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (RestoreNote.Read(folder.Path) is not { } note)
        {
            return;
        }

        long restoredAtMs = note.RestoredAt.ToUnixTimeMilliseconds();
        await using (HubDbContext db = await factory.CreateDbContextAsync(cancellationToken))
        {
            if (!await db.Audit.AnyAsync(a => a.CorrelationId == note.BackupId && a.Action == Action && a.HappenedAtMs == restoredAtMs, cancellationToken))
            {
                string text = string.Create(CultureInfo.InvariantCulture, $"the backup of {note.BackupAt.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} was restored; what happened after it is not in this history");
                long now = time.GetUtcNow().ToUnixTimeMilliseconds();
                int browsers = await db.Sessions.CountAsync(s => s.RevokedAtMs == null && s.ExpiresAtMs > now, cancellationToken);
                string[] tokens = await db.ApiTokens.Where(t => t.RevokedAtMs == null && (t.ExpiresAtMs == null || t.ExpiresAtMs > now)).OrderBy(t => t.Name).Select(t => t.Name).ToArrayAsync(cancellationToken);
                await audit.ChangeAsync(
                    new AuditDraft
                    {
                        Actor = new Actor(note.By, null, null),
                        Action = Action,
                        Target = "hub",
                        After = JsonSerializer.Serialize(new { browsersSignedOut = browsers, apiTokens = tokens, apiTokensRevoked = note.RevokeTokens }, Json),
                        Outcome = $"accepted: {text}",
                        CorrelationId = note.BackupId,
                        HappenedAt = note.RestoredAt,
                    },
                    (change, stop) => EndAsync(change, now, note.RevokeTokens, stop),
                    cancellationToken);
                events.Append(Restored, $"This hub goes on from a backup: {text}. Every browser is signed out; {TokensOf(tokens, note.RevokeTokens)}.");
            }
        }

        RestoreNote.Remove(folder.Path);
    }

    private static string TokensOf(string[] tokens, bool revoked) =>
        tokens.Length == 0 ? "there are no API tokens"
        : revoked ? "every API token is revoked"
        : $"API tokens are as they were then, also those that were revoked since: {string.Join(", ", tokens.Take(Named))}{(tokens.Length > Named ? $" and {tokens.Length - Named} more" : "")}";

    private static async Task EndAsync(HubDbContext db, long now, bool revokeTokens, CancellationToken cancellationToken)
    {
        await db.Sessions.Where(s => s.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(s => s.RevokedAtMs, now), cancellationToken);
        await db.SignInCodes.ExecuteDeleteAsync(cancellationToken);
        await db.JoinTokens.Where(t => t.UsedAtMs == null && t.WithdrawnAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(t => t.WithdrawnAtMs, now), cancellationToken);
        foreach (HubUser user in await db.Users.ToListAsync(cancellationToken))
        {
            user.SecurityStamp = Guid.NewGuid().ToString("N");
        }

        if (revokeTokens)
        {
            await db.ApiTokens.Where(t => t.RevokedAtMs == null).ExecuteUpdateAsync(set => set.SetProperty(t => t.RevokedAtMs, now), cancellationToken);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
