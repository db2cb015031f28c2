using System.Collections.Immutable;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Identity;

/// <summary>One certificate of a node.</summary>
internal sealed record RegisteredCertificate(string Serial, DateTimeOffset IssuedAt, DateTimeOffset NotAfter, bool IsRenewal, bool IsRevoked);

/// <summary>One row of the table of nodes, with its newest certificates.</summary>
internal sealed record RegisteredNode
{
    /// <summary>Of one node only so many certificates are taken: the one that it has, the next one, and one that got lost on the way.</summary>
    public const int ValidAtOnce = 3;

    public required string NodeId { get; init; }

    public required string Name { get; init; }

    public required DateTimeOffset JoinedAt { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }

    public string? RevokedReason { get; init; }

    public DateTimeOffset? RemovedAt { get; init; }

    /// <summary>Newest first, <see cref="ValidAtOnce"/> at most.</summary>
    public required ImmutableArray<RegisteredCertificate> Certificates { get; init; }

    /// <summary>Since the last join.</summary>
    public required int Renewals { get; init; }

    /// <summary>With one more, which may push out an older one, but never the one that asked for it: answers may get lost, or not be kept by the node, again and again.</summary>
    /// <param name="certificate">The new one.</param>
    /// <param name="presented">Serial of the one that asked for it; null: a join token did.</param>
    public RegisteredNode WithNew(RegisteredCertificate certificate, string? presented = null) => this with
    {
        Certificates = [certificate, .. Certificates.OrderBy(c => c.Serial != presented).Take(ValidAtOnce - 1).OrderByDescending(c => c.IssuedAt)],
        Renewals = certificate.IsRenewal ? Renewals + 1 : 0,
    };

    /// <summary>With no certificate that is taken.</summary>
    public RegisteredNode WithoutValid() => this with { Certificates = [.. Certificates.Select(c => c with { IsRevoked = true })] };

    public IdentityFacts ToFacts() => new()
    {
        NodeId = NodeId,
        JoinedAt = JoinedAt,
        Serial = Certificates[0].Serial,
        IssuedAt = Certificates[0].IssuedAt,
        NotAfter = Certificates[0].NotAfter,
        Renewals = Renewals,
        RevokedAt = RevokedAt,
        RevokedReason = RevokedReason,
        Valid = RevokedAt is null && RemovedAt is null ? [.. Certificates.Where(c => !c.IsRevoked).Select(c => c.Serial)] : [],
    };
}

/// <summary>The table of nodes in memory, so that no call of an agent waits for the disk. Only <see cref="NodeDesk"/> changes it, after its commit.</summary>
internal sealed class NodeRegister
{
    private ImmutableDictionary<string, RegisteredNode> _byId = ImmutableDictionary<string, RegisteredNode>.Empty;

    // Of those that were not removed; names differ in more than case.
    private ImmutableDictionary<string, string> _idByName = ImmutableDictionary.Create<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Removed ones too: their certificates are told what became of them.</summary>
    public RegisteredNode? FindById(string nodeId) => _byId.GetValueOrDefault(nodeId);

    public RegisteredNode? FindByName(string name) => _idByName.TryGetValue(name, out var id) && FindById(id) is { RemovedAt: null } node ? node : null;

    public void Load(IEnumerable<RegisteredNode> nodes)
    {
        _byId = nodes.ToImmutableDictionary(n => n.NodeId);
        _idByName = _byId.Values.Where(n => n.RemovedAt is null).ToImmutableDictionary(n => n.Name, n => n.NodeId, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>One call at a time.</summary>
    public void Set(RegisteredNode node)
    {
        var before = FindById(node.NodeId);
        _byId = _byId.SetItem(node.NodeId, node);
        if (before is not null && _idByName.GetValueOrDefault(before.Name) == node.NodeId)
        {
            _idByName = _idByName.Remove(before.Name);
        }

        if (node.RemovedAt is null)
        {
            _idByName = _idByName.SetItem(node.Name, node.NodeId);
        }
    }
}
