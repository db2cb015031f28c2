using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Data;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace FailoverHub.Web.Access.Users;

/// <summary>Accounts without anything that needs a browser; the command line has them too.</summary>
internal static class AccountServices
{
    /// <summary>Of PBKDF2 with SHA-512, as OWASP asks for it.</summary>
    public const int PasswordIterations = 210_000;

    public static IServiceCollection AddHubAccounts(this IServiceCollection services)
    {
        services.TryAddSingleton<SessionSignals>();

        // Before Identity's own, which then stays away.
        services.AddScoped<IPasswordValidator<HubUser>, PasswordRules>();
        services.Configure<PasswordHasherOptions>(hasher => hasher.IterationCount = PasswordIterations);
        services.AddScoped(all => all.GetRequiredService<IDbContextFactory<HubDbContext>>().CreateDbContext());
        services.AddIdentityCore<HubUser>().AddRoles<IdentityRole>().AddEntityFrameworkStores<HubDbContext>();
        services.AddSingleton<UserDirectory>();
        services.AddSingleton<Accounts>();
        return services;
    }
}
