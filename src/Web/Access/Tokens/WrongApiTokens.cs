using FailoverHub.Web.Access.Refusals;

namespace FailoverHub.Web.Access.Tokens;

/// <summary>Bearer tokens that were never made here. A script whose token is mistyped asks once a second.</summary>
internal sealed class WrongApiTokens(TimeProvider time) : WrongAttempts(time, PerAddressAndMinute)
{
    public const int PerAddressAndMinute = 60;
}
