using System.Collections.Immutable;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Components.Pages.Operations;

/// <summary>Whether a button may be pressed, and what stands beside it. Pure.</summary>
/// <param name="Enabled">It opens the dialog.</param>
/// <param name="NeedsOverride">A rule stands in the way, but an operator may set it aside.</param>
/// <param name="Text">Why not, or what has to be set aside; null: nothing stands in the way.</param>
public sealed record CommandGate(bool Enabled, bool NeedsOverride, string? Text)
{
    /// <summary>The rule that asks for a reason: the dialog asks for it, so it never closes a button.</summary>
    public const string ReasonRule = "SR-14";

    /// <summary>Rules that stand in the way before a reason is given.</summary>
    public static ImmutableArray<RuleResult> Blocking(OperationPreview preview) =>
        [.. preview.Rules.Where(rule => rule.Blocks && rule.RuleId != ReasonRule)];

    /// <summary>From what the rules say, or from why they could not be asked.</summary>
    public static CommandGate Of(OperationPreview? preview, SubmitResult? problem)
    {
        if (preview is null)
        {
            return new(false, false, Problem(problem));
        }

        ImmutableArray<RuleResult> blocking = Blocking(preview);
        if (blocking.FirstOrDefault(rule => !rule.CanOverride) is { } hard)
        {
            return new(false, false, Words(hard));
        }

        return blocking.IsEmpty
            ? new(true, false, null)
            : new(true, true, $"{blocking[0].RuleId} {blocking[0].Name} has to be set aside: {Seen(blocking[0])}");
    }

    /// <summary>What stands in the way, and what helps: "SR-03 TargetReady: node-b is silent. Bring it back."</summary>
    public static string Words(RuleResult rule) => $"{rule.RuleId} {rule.Name}: {Seen(rule)}";

    private static string Seen(RuleResult rule) => rule.Remedy is { } remedy ? $"{rule.Message} {remedy}" : rule.Message;

    /// <summary>The same for somebody: who may not operate is told so, whatever the rules say. The hub decides again when it is asked.</summary>
    public CommandGate For(Actor actor) => actor.Rights.HasFlag(Rights.Operate) ? this : new(false, false, "Needs the role Operator; an admin of the hub can give it to you.");

    /// <summary>The same by the age of the hub's picture of the fleet: what the rules say of an old one is worth nothing.</summary>
    public CommandGate While(bool pictureIsOld) => pictureIsOld ? new(false, false, "The hub's picture of the fleet is old: nothing can be asked for until it is renewed.") : this;

    /// <summary>A submit result that is not an acceptance, in words.</summary>
    public static string Problem(SubmitResult? result) => result switch
    {
        SubmitResult.Forbidden forbidden => forbidden.Why,
        SubmitResult.NotFound notFound => notFound.What,
        SubmitResult.Invalid invalid => string.Join(" ", invalid.Problem.Values),
        SubmitResult.Unavailable unavailable => unavailable.Why,
        SubmitResult.TooLate late => late.Why,
        SubmitResult.Refused refused when refused.Preview.Rules.FirstOrDefault(rule => rule.Blocks) is { } rule => Words(rule),
        _ => "Not possible now.",
    };
}
