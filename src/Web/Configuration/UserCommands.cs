using System.CommandLine;
using FailoverHub.Web.Access;

namespace FailoverHub.Web.Configuration;

/// <summary>`failoverhub user …`: accounts without signing in, for whoever has locked himself out.</summary>
internal static class UserCommands
{
    public static Command Build(Option<string?> data, DatabaseOptions database, TextWriter output, TextWriter error)
    {
        var user = new Command("user", "People who sign in. Works beside a running hub, and for whoever has locked himself out.");
        var name = new Argument<string>("name") { HelpName = "NAME" };
        var roles = new Option<string[]>("--role")
        {
            Required = true,
            AllowMultipleArgumentsPerToken = true,
            HelpName = string.Join('|', HubRoles.All),
            Description = $"What the user may do; may be repeated. {string.Join("; ", HubRoles.All.Select(role => $"{role} {HubRoles.About(role)}"))}.",
        };
        roles.AcceptOnlyFromAmong([.. HubRoles.All]);

        var create = new Command("create", "Make a user and print a password that is good for one sign-in.") { data, database.Database, database.PasswordFile, name, roles };
        create.SetAction((parsed, stop) => HubCommandLine.WithDataAsync(parsed, data, database, error, options =>
            HubCommands.CreateUserAsync(options, parsed.GetRequiredValue(name), parsed.GetRequiredValue(roles), output, error, stop)));

        var list = new Command("list", "Show the users that there are.") { data, database.Database, database.PasswordFile };
        list.SetAction((parsed, stop) => HubCommandLine.WithDataAsync(parsed, data, database, error, options => HubCommands.ListUsersAsync(options, output, error, stop)));

        var secondFactor = new Option<bool>("--second-factor") { Description = "Also forget the authenticator app, the recovery codes and the passkeys: the phone is lost." };
        var reset = new Command("reset-password", "Print a new password that is good for one sign-in; every browser of the user is signed out.") { data, database.Database, database.PasswordFile, name, secondFactor };
        reset.SetAction((parsed, stop) => HubCommandLine.WithDataAsync(parsed, data, database, error, options =>
            HubCommands.ResetPasswordAsync(options, parsed.GetRequiredValue(name), parsed.GetValue(secondFactor), output, error, stop)));

        var set = new Command("set-roles", "Give a user other roles.") { data, database.Database, database.PasswordFile, name, roles };
        set.SetAction((parsed, stop) => HubCommandLine.WithDataAsync(parsed, data, database, error, options =>
            HubCommands.SetRolesAsync(options, parsed.GetRequiredValue(name), parsed.GetRequiredValue(roles), output, error, stop)));

        user.Add(create);
        user.Add(list);
        user.Add(reset);
        user.Add(set);
        user.Add(Lock("lock", "Sign a user out everywhere, and let him in no more.", locked: true));
        user.Add(Lock("unlock", "Let a locked user in again, also one who is locked by failed attempts.", locked: false));
        return user;

        Command Lock(string word, string description, bool locked)
        {
            var command = new Command(word, description) { data, database.Database, database.PasswordFile, name };
            command.SetAction((parsed, stop) => HubCommandLine.WithDataAsync(parsed, data, database, error, options =>
                HubCommands.LockUserAsync(options, parsed.GetRequiredValue(name), locked, output, error, stop)));
            return command;
        }
    }
}
