using FailoverHub.Web.Components.Shared.Status;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Components.Pages.Nodes;

/// <summary>What an operator does to a node's place in the hub's table.</summary>
public enum NodeChangeKind
{
    /// <summary>Make its certificates worthless.</summary>
    Revoke,

    /// <summary>Give it another name.</summary>
    Rename,

    /// <summary>Forget it.</summary>
    Remove,
}

/// <summary>Certificates in words. Pure.</summary>
internal static class CertificateWords
{
    /// <summary>Renewal is due ten days before the end; so few days left say that it does not work.</summary>
    public const int FewDays = 7;

    public static StatusWord Of(NodeIdentityView identity, DateTimeOffset now) =>
        identity.RevokedAt is not null ? new(StatusTone.Off, "Revoked")
        : now >= identity.NotAfter ? new(StatusTone.Critical, "Expired")
        : identity.DaysLeft(now) < FewDays ? new(StatusTone.Warning, "Not renewed")
        : new(StatusTone.Good, "Valid");

    public static string Days(NodeIdentityView identity, DateTimeOffset now) => identity.DaysLeft(now) switch
    {
        < 0 => "expired",
        0 => "less than a day left",
        1 => "1 day left",
        var days => $"{days} days left",
    };

    /// <summary>What somebody has to do about the node's identity, one sentence; null: nothing.</summary>
    public static string? Concern(NodeView node, DateTimeOffset now) => node switch
    {
        { CloneSign: { } sign } => sign,
        { Identity: { RevokedAt: null } identity } when now >= identity.NotAfter =>
            $"The certificate of {node.Name} has expired: it cannot connect until it has joined again. It announces all the while.",
        { Identity: { RevokedAt: null } identity } when identity.DaysLeft(now) < FewDays =>
            $"The certificate of {node.Name} ends soon ({Days(identity, now)}) and was not renewed: its agent asks for the next one ten days before the end, if it is connected.",
        _ => null,
    };
}
