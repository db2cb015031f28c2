using FailoverHub.Web.Operations.Planning;

namespace FailoverHub.Web.Operations.Rules;

/// <summary>Whom a second person is asked about.</summary>
internal enum TwoPersonPolicy
{
    /// <summary>Nobody.</summary>
    Off,

    /// <summary>What moves an address, or may take it away.</summary>
    Moves,

    /// <summary>Everything but freezes and what ends a drain.</summary>
    All,
}

/// <summary>SR-11: two people for what matters, where that is wanted. Pure.</summary>
internal static class ApprovalRules
{
    /// <summary>Whether a second person has to agree before anything is sent.</summary>
    public static bool IsNeeded(OperationTarget target, TwoPersonPolicy policy) => policy switch
    {
        TwoPersonPolicy.Off => false,
        TwoPersonPolicy.Moves => OperationPlanner.MayMoveTraffic(target) || target.Type is OperationType.Drain || target is { Type: OperationType.SetRole },
        _ => target.Type != OperationType.Undrain,
    };

    /// <summary>What the preview says to it: it stands in nobody's way, it only asks for another one.</summary>
    public static RuleResult Announced(OperationRequest request) =>
        Rule(request).Pass("A second person has to approve it before anything is sent.");

    /// <summary>Who approves is not who asked.</summary>
    public static RuleResult TwoPerson(OperationRequest request, string asked, string approves) =>
        string.Equals(asked, approves, StringComparison.OrdinalIgnoreCase)
            ? Rule(request).Fail($"{asked} asked for it, and cannot approve it too.", "Ask somebody else to approve it.")
            : Rule(request).Pass($"{asked} asked for it, and {approves} approves it.");

    private static Rule Rule(OperationRequest request) => new(request, "SR-11", nameof(TwoPerson), 403, CanOverride: false);
}
