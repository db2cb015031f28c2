namespace FailoverHub.Web.Operations.Rules;

/// <summary>One rule asked about one request: what it says when it allows it, and when it does not.</summary>
/// <param name="Request">What is asked for; it names the rules that are overridden.</param>
/// <param name="Id">"SR-01".</param>
/// <param name="Name">"AtLeastOneAnnouncer".</param>
/// <param name="HttpStatus">Of a refusal.</param>
/// <param name="CanOverride">An operator may set it aside by naming it.</param>
internal readonly record struct Rule(OperationRequest Request, string Id, string Name, int HttpStatus, bool CanOverride)
{
    public RuleResult Pass(string message) => Result(passed: true, message, null);

    public RuleResult Fail(string message, string remedy, TimeSpan? retryAfter = null) => Result(passed: false, message, remedy) with { RetryAfter = retryAfter };

    private RuleResult Result(bool passed, string message, string? remedy) => new()
    {
        RuleId = Id,
        Name = Name,
        Passed = passed,
        Overridden = !passed && CanOverride && Request.OverrideRules.Contains(Id),
        CanOverride = CanOverride,
        Message = message,
        Remedy = remedy,
        HttpStatus = HttpStatus,
    };
}
