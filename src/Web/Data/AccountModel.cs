using FailoverHub.Web.Access;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace FailoverHub.Web.Data;

/// <summary>
/// Identity's entities as the hub keeps them: what it does not use has no table and no column. Not Identity's own context: that one reads which
/// tables there are from the container that it is made by, and the migration tool has none.
/// </summary>
internal static class AccountModel
{
    private const int LongestKey = 255;
    private const int LongestCredentialId = 1024;

    public static void Configure(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<HubUser>(e =>
        {
            e.ToTable("Users");
            e.HasKey(u => u.Id);
            e.HasIndex(u => u.NormalizedUserName).IsUnique();
            e.Property(u => u.ConcurrencyStamp).IsConcurrencyToken();
            e.Property(u => u.UserName).HasMaxLength(LongestKey);
            e.Property(u => u.NormalizedUserName).HasMaxLength(LongestKey);
            e.Property(u => u.LockoutEnd).HasConversion(new ValueConverter<DateTimeOffset, long>(at => at.ToUnixTimeMilliseconds(), ms => DateTimeOffset.FromUnixTimeMilliseconds(ms)));
            e.Ignore(u => u.Email).Ignore(u => u.NormalizedEmail).Ignore(u => u.EmailConfirmed).Ignore(u => u.PhoneNumber).Ignore(u => u.PhoneNumberConfirmed);
            e.Ignore(u => u.TwoFactorEnabled).Ignore(u => u.LockoutEnabled);
            e.HasMany<IdentityUserRole<string>>().WithOne().HasForeignKey(link => link.UserId).IsRequired();
            e.HasMany<IdentityUserLogin<string>>().WithOne().HasForeignKey(login => login.UserId).IsRequired();
            e.HasMany<IdentityUserPasskey<string>>().WithOne().HasForeignKey(passkey => passkey.UserId).IsRequired();
        });
        modelBuilder.Entity<IdentityRole>(e =>
        {
            e.ToTable("Roles");
            e.HasKey(r => r.Id);
            e.HasIndex(r => r.NormalizedName).IsUnique();
            e.HasMany<IdentityUserRole<string>>().WithOne().HasForeignKey(link => link.RoleId).IsRequired();
            e.HasData(HubRoles.All.Select(role => new IdentityRole(role) { Id = role.ToLowerInvariant(), NormalizedName = role.ToUpperInvariant(), ConcurrencyStamp = role }));
        });
        modelBuilder.Entity<IdentityUserRole<string>>(e =>
        {
            e.ToTable("UserRoles");
            e.HasKey(link => new { link.UserId, link.RoleId });
        });
        modelBuilder.Entity<IdentityUserLogin<string>>(e =>
        {
            e.ToTable("UserLogins");
            e.HasKey(login => new { login.LoginProvider, login.ProviderKey });
            e.Property(login => login.LoginProvider).HasMaxLength(LongestKey);
            e.Property(login => login.ProviderKey).HasMaxLength(LongestKey);
        });
        modelBuilder.Entity<IdentityUserPasskey<string>>(e =>
        {
            e.ToTable("UserPasskeys");
            e.HasKey(passkey => passkey.CredentialId);

            // At most 1,023 bytes (Web Authentication, section 4).
            e.Property(passkey => passkey.CredentialId).HasMaxLength(LongestCredentialId);
            e.OwnsOne(passkey => passkey.Data).ToJson();
        });
    }
}
