using FailoverHub.Web.Data;
using Microsoft.AspNetCore.Identity;

namespace FailoverHub.Web.Access.Users;

/// <summary>
/// What a password must be. Length is what counts against guessing (NIST SP 800-63B section 5.1.1): no rules about kinds of characters, and no expiry.
/// </summary>
internal sealed class PasswordRules : IPasswordValidator<HubUser>
{
    public const int Shortest = 12;

    /// <summary>Hashing more would only cost time.</summary>
    public const int Longest = 256;

    private const int FewestDifferent = 5;

    /// <summary>Pure. Every problem of a password for the user of that name; none: it is good.</summary>
    public static IReadOnlyList<string> ProblemsOf(string? name, string? password)
    {
        var problems = new List<string>();
        if (password is null || password.Length < Shortest)
        {
            problems.Add($"A password has at least {Shortest} characters; a few words are better than a short puzzle.");
        }
        else if (password.Length > Longest)
        {
            problems.Add($"A password has at most {Longest} characters.");
        }

        if (password is { Length: >= Shortest } && password.Distinct().Count() < FewestDifferent)
        {
            problems.Add($"A password has at least {FewestDifferent} different characters.");
        }

        if (password is not null && name is { Length: >= 3 } && password.Contains(name, StringComparison.OrdinalIgnoreCase))
        {
            problems.Add("A password does not contain the user's name.");
        }

        return problems;
    }

    public Task<IdentityResult> ValidateAsync(UserManager<HubUser> manager, HubUser user, string? password)
    {
        IReadOnlyList<string> problems = ProblemsOf(user.UserName, password);
        return Task.FromResult(problems.Count == 0
            ? IdentityResult.Success
            : IdentityResult.Failed([.. problems.Select(problem => new IdentityError { Code = "Password", Description = problem })]));
    }
}
