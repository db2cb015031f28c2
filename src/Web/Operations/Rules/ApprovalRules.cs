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

/// <summary>SR-11: two people for what matters, where that is wanted; SR-15: whoever asked for what has waited may still ask for it. Pure.</summary>
internal static class ApprovalRules
{
    /// <summary>Of the rule that no waiting helps against: a right that is gone does not come back by itself.</summary>
    public const string RequesterRuleId = "SR-15";

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

    /// <summary>What was no move when it was asked for, and is one now that its time has come: nobody has approved that.</summary>
    public static RuleResult NotAsked(OperationRequest request) =>
        Rule(request).Fail("As the fleet is now a second person has to approve it, and when it was asked for that was not so.", "Ask for it again, and let somebody else approve it.");

    /// <summary>Of whom it is not known who he is, nobody is another one: what he asks for would wait for an approval that cannot be given.</summary>
    /// <returns>Why it is not let in; null: somebody can approve it.</returns>
    public static RuleResult? NobodyCanApprove(OperationRequest request, Actor asks) => asks.Behind?.Person is not null
        ? null
        : Rule(request).Fail(
            $"A second person would have to approve it, and nobody could: it is not known who {asks.Name} is.",
            asks.Behind is Operations.Requester.Token ? Unknown(asks)! : "Ask for it signed in with an account, or with a token that has an owner.");

    /// <summary>Who approves is not who asked: another person, not only another name. Of whom it is not known who he is, nobody is another one.</summary>
    public static RuleResult TwoPerson(OperationRequest request, Actor asked, Actor approves) =>
        (Unknown(asked) ?? Unknown(approves)) is { } unknown ? Rule(request).Fail($"It is not known whether {asked.Name} and {approves.Name} are two people.", unknown)
        : asked.Behind!.Person != approves.Behind!.Person ? Rule(request).Pass($"{asked.Name} asked for it, and {approves.Name} approves it.")
        : asked.Behind.Person is Operations.Requester.Machine ? Rule(request).Fail($"{asked.Name} asked for it without an account, so {approves.Name}, who has none either, cannot approve it: both are whoever runs the hub's machine.", "Ask somebody who has an account to approve it.")
        : Rule(request).Fail(
            string.Equals(asked.Name, approves.Name, StringComparison.OrdinalIgnoreCase) ? $"{asked.Name} asked for it, and cannot approve it too." : $"{asked.Name} asked for it, and {approves.Name} is the same person: a token is whose account made it.",
            "Ask somebody else to approve it.");

    // What to do where it is not known who somebody is; null: it is known.
    private static string? Unknown(Actor actor) =>
        actor.Behind?.Person is not null ? null
        : actor.Behind is Operations.Requester.Token ? $"Nobody noted who made this token ({actor.Name}): it is of an earlier version. Revoke it and make another one; a token belongs to whoever makes it."
        : "Ask for it again, and let somebody else approve it.";

    /// <summary>Whoever asked for what begins only now may still ask for it.</summary>
    public static RuleResult RequesterAllowed(OperationRequest request, string asked, Standing now) => now.Rights.HasFlag(Rights.Operate)
        ? Requester(request).Pass($"{asked}, who asked for it, may still do so.")
        : Requester(request).Fail($"{asked}, who asked for it, may not any more: {now.Lost ?? "the right is gone"}.", "Somebody with the right must ask again.");

    private static Rule Rule(OperationRequest request) => new(request, "SR-11", nameof(TwoPerson), 403, CanOverride: false);

    private static Rule Requester(OperationRequest request) => new(request, RequesterRuleId, nameof(RequesterAllowed), 403, CanOverride: false);
}
