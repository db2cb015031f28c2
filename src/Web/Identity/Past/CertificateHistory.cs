using FailoverHub.Web.Data;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Identity.Past;

/// <summary>A certificate that a node was given.</summary>
/// <param name="Serial">Lower-case hex.</param>
/// <param name="IssuedAt">When.</param>
/// <param name="NotAfter">When it expires or did.</param>
/// <param name="IsRenewal">For the one before it; else for a join token.</param>
/// <param name="RevokedAt">When it was made worthless, null: never.</param>
public sealed record IssuedBefore(string Serial, DateTimeOffset IssuedAt, DateTimeOffset NotAfter, bool IsRenewal, DateTimeOffset? RevokedAt);

/// <summary>Which certificates a node has had. Who may connect is not asked here: <see cref="NodeRegister"/> knows.</summary>
internal sealed class CertificateHistory(IDbContextFactory<HubDbContext> database)
{
    /// <summary>Two years of them, when each lasts for thirty days.</summary>
    public const int Most = 36;

    /// <summary>The newest ones of a node, newest first, <see cref="Most"/> at most.</summary>
    public async Task<IReadOnlyList<IssuedBefore>> OfAsync(string nodeId, CancellationToken cancellationToken)
    {
        await using HubDbContext db = await database.CreateDbContextAsync(cancellationToken);
        List<NodeCertificateEntity> rows = await db.NodeCertificates.AsNoTracking().Where(c => c.NodeId == nodeId)
            .OrderByDescending(c => c.IssuedAtMs).ThenByDescending(c => c.NotAfterMs).Take(Most).ToListAsync(cancellationToken);
        return [.. rows.Select(c => new IssuedBefore(
            c.Serial, At(c.IssuedAtMs), At(c.NotAfterMs), c.IsRenewal, c.RevokedAtMs is { } revoked ? At(revoked) : null))];
    }

    private static DateTimeOffset At(long ms) => DateTimeOffset.FromUnixTimeMilliseconds(ms);
}
