using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Identity;

/// <summary>The one place where the table of nodes meets its rows.</summary>
internal static class IdentityRecords
{
    public static async Task<IReadOnlyList<RegisteredNode>> LoadAsync(HubDbContext db, CancellationToken cancellationToken)
    {
        var nodes = await db.NodeIdentities.AsNoTracking().ToListAsync(cancellationToken);
        var certificates = (await db.NodeCertificates.AsNoTracking().ToListAsync(cancellationToken)).ToLookup(c => c.NodeId);
        return [.. nodes.Where(n => certificates.Contains(n.NodeId)).Select(n => ToNode(n, certificates[n.NodeId]))];
    }

    /// <summary>Name and identity of every node that was not removed.</summary>
    public static async Task<IEnumerable<(string Name, IdentityFacts Identity)>> LoadFactsAsync(HubDbContext db, CancellationToken cancellationToken) =>
        (await LoadAsync(db, cancellationToken)).Where(n => n.RemovedAt is null).Select(n => (n.Name, n.ToFacts()));

    public static NodeIdentityEntity ToEntity(RegisteredNode node) => new()
    {
        NodeId = node.NodeId,
        Name = node.Name,
        NameKey = KeyOf(node.Name),
        JoinedAtMs = node.JoinedAt.ToUnixTimeMilliseconds(),
    };

    public static NodeCertificateEntity ToEntity(string nodeId, RegisteredCertificate certificate) => new()
    {
        Serial = certificate.Serial,
        NodeId = nodeId,
        IssuedAtMs = certificate.IssuedAt.ToUnixTimeMilliseconds(),
        NotAfterMs = certificate.NotAfter.ToUnixTimeMilliseconds(),
        IsRenewal = certificate.IsRenewal,
    };

    /// <summary>Names differ in more than case.</summary>
    public static string KeyOf(string name) => name.ToLowerInvariant();

    public static RegisteredCertificate ToCertificate(NodeCertificateEntity entity) => new(
        entity.Serial,
        DateTimeOffset.FromUnixTimeMilliseconds(entity.IssuedAtMs),
        DateTimeOffset.FromUnixTimeMilliseconds(entity.NotAfterMs),
        entity.IsRenewal,
        entity.RevokedAtMs is not null);

    public static JoinTokenInfo ToInfo(JoinTokenEntity entity) => new(
        entity.Id,
        entity.CreatedBy,
        DateTimeOffset.FromUnixTimeMilliseconds(entity.CreatedAtMs),
        DateTimeOffset.FromUnixTimeMilliseconds(entity.ExpiresAtMs),
        entity.Node,
        entity.ForExisting,
        At(entity.UsedAtMs),
        entity.UsedBy,
        At(entity.WithdrawnAtMs));

    private static RegisteredNode ToNode(NodeIdentityEntity node, IEnumerable<NodeCertificateEntity> certificates)
    {
        var all = certificates.OrderByDescending(c => c.IssuedAtMs).ThenByDescending(c => c.NotAfterMs).ToList();
        return new RegisteredNode
        {
            NodeId = node.NodeId,
            Name = node.Name,
            JoinedAt = DateTimeOffset.FromUnixTimeMilliseconds(node.JoinedAtMs),
            RevokedAt = At(node.RevokedAtMs),
            RevokedReason = node.RevokedReason,
            RemovedAt = At(node.RemovedAtMs),
            Certificates = [.. all.OrderBy(c => c != all[0]).ThenBy(c => c.RevokedAtMs is not null).Take(RegisteredNode.ValidAtOnce).OrderByDescending(c => c.IssuedAtMs).ThenByDescending(c => c.NotAfterMs).Select(ToCertificate)],
            Renewals = all.TakeWhile(c => c.IsRenewal).Count(),
        };
    }

    private static DateTimeOffset? At(long? ms) => ms is { } known ? DateTimeOffset.FromUnixTimeMilliseconds(known) : null;
}
