using FailoverHub.Web.Fleet;
using FailoverHub.Web.Identity;

namespace FailoverHub.Web.Api.Identity;

/// <summary>Identities and join tokens as scripts read them.</summary>
internal static class IdentityMapping
{
    public static NodeCertificateDto ToDto(this NodeIdentityView identity, DateTimeOffset now) => new()
    {
        NodeId = identity.NodeId,
        JoinedAt = identity.JoinedAt,
        Serial = identity.Serial,
        IssuedAt = identity.IssuedAt,
        NotAfter = identity.NotAfter,
        DaysLeft = identity.DaysLeft(now),
        Renewals = identity.Renewals,
        RevokedAt = identity.RevokedAt,
        RevokedReason = identity.RevokedReason,
    };

    public static JoinTokenDto ToDto(this JoinTokenInfo token) => new()
    {
        Id = token.Id,
        CreatedBy = token.CreatedBy,
        CreatedAt = token.CreatedAt,
        ExpiresAt = token.ExpiresAt,
        Node = token.Node,
        ForExisting = token.ForExisting,
        UsedAt = token.UsedAt,
        UsedBy = token.UsedBy,
        WithdrawnAt = token.WithdrawnAt,
    };

    public static JoinTokenCreatedDto ToCreatedDto(this JoinTokenInfo info, JoinToken token, string hubUrl) => new()
    {
        Id = info.Id,
        Token = token.ToString(),
        Command = JoinCommand.For(hubUrl, token, info.Node),
        HubUrl = hubUrl,
        Node = info.Node,
        ForExisting = info.ForExisting,
        ExpiresAt = info.ExpiresAt,
    };
}
