using System.Collections.Immutable;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Access;

/// <summary>Roles of people. Somebody may have several; what they come to are <see cref="Rights"/>. Pure.</summary>
internal static class HubRoles
{
    /// <summary>Sees the fleet, operations and events.</summary>
    public const string Viewer = "Viewer";

    /// <summary>Sets operations going, and sees who did what.</summary>
    public const string Operator = "Operator";

    /// <summary>Approves what somebody else asked for.</summary>
    public const string Approver = "Approver";

    /// <summary>Sees, verifies and exports the audit; changes nothing.</summary>
    public const string Auditor = "Auditor";

    /// <summary>Everything, users, tokens, nodes and settings included.</summary>
    public const string Admin = "Admin";

    /// <summary>Every role, the one with least rights first.</summary>
    public static ImmutableArray<string> All { get; } = [Viewer, Operator, Approver, Auditor, Admin];

    /// <summary>What a role is for, in one line.</summary>
    public static string About(string role) => role switch
    {
        Viewer => "sees the fleet, operations and events",
        Operator => "sets operations going, and sees the audit",
        Approver => "approves what somebody else asked for, and sees the audit",
        Auditor => "sees, verifies and exports the audit; changes nothing",
        Admin => "everything: users, tokens, nodes and settings included",
        _ => "is no role of this hub",
    };

    /// <summary>What a role comes to; an unknown word comes to nothing.</summary>
    public static Rights RightsOf(string role) => role switch
    {
        Viewer => Rights.View,
        Operator => Rights.View | Rights.Audit | Rights.Operate,
        Approver => Rights.View | Rights.Audit | Rights.Approve,
        Auditor => Rights.View | Rights.Audit,
        Admin => Rights.All,
        _ => Rights.None,
    };
}
