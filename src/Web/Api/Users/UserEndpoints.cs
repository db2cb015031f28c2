using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Api.Description;
using FailoverHub.Web.Api.Repeats;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FailoverHub.Web.Api.Users;

/// <summary>Who may sign in. Every refusal is in the audit, like every change: the rooms below write both.</summary>
internal static class UserEndpoints
{
    private const string Tag = "Users";
    private const string Etag = "The answer's ETag is its revision: send it back as If-Match with a change, and the change is refused with 412 when somebody was faster. A sign-in does not change it.";

    /// <summary>For tokens of scope admin only, reading too.</summary>
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/users", async (Accounts accounts, CancellationToken stop) => TypedResults.Ok((await accounts.ListAsync(stop)).Select(a => a.ToDto()).ToArray()))
            .WithTags(Tag).WithName("listUsers").WithSummary("Every account, by name").Produces<UserDto[]>();
        api.MapGet("/users/{user}", async (string user, HttpContext context, Accounts accounts, CancellationToken stop) =>
                await accounts.FindAsync(user, stop) is { } found ? Tagged(context, found, TypedResults.Ok(found.ToDto())) : NoSuch(user))
            .WithTags(Tag).WithName("getUser").WithSummary("One account").WithDescription(Etag).Produces<UserDto>().ProducesProblem(StatusCodes.Status404NotFound);
        Describe<UserBody>(api.MapPost("/users", CreateAsync).WithMetadata(new AnsweredOnce()), StatusCodes.Status201Created)
            .WithName("createUser").WithSummary("Make an account").WithDescription("The password is in this answer and nowhere else; it has to be replaced at the first sign-in.");
        Changes<UserRolesBody>(api.MapPost("/users/{user}/roles", (string user, HttpContext context, Accounts accounts) => ChangeAsync<UserRolesBody>(
            context, accounts, user, "user-roles-changed", (account, body, actor) => accounts.SetRolesAsync(account, body.Roles, actor, context.RequestAborted))))
            .WithName("setUserRoles").WithSummary("Give an account other roles; it is signed out everywhere");
        Changes<UserLockBody>(api.MapPost("/users/{user}/lock", (string user, HttpContext context, Accounts accounts) => ChangeAsync<UserLockBody>(
            context, accounts, user, "user-locked", (account, body, actor) => body.Locked ? accounts.LockAsync(account, actor, context.RequestAborted) : accounts.UnlockAsync(account, actor, context.RequestAborted))))
            .WithName("lockUser").WithSummary("Lock an account, or let it in again");
        Changes<UserResetBody>(api.MapPost("/users/{user}/reset", ResetAsync).WithMetadata(new AnsweredOnce()))
            .WithName("resetUser").WithSummary("Make a new password, forget the second factor, or both; it is signed out everywhere");
        api.MapDelete("/users/{user}", RemoveAsync).WithTags(Tag).WithName("removeUser").WithSummary("Remove an account; what it did stays in the audit")
            .WithMetadata(new TakesIfMatch()).Produces(StatusCodes.Status204NoContent).ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status412PreconditionFailed).ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }

    private static RouteHandlerBuilder Changes<T>(RouteHandlerBuilder route) => Describe<T>(route, StatusCodes.Status200OK).WithMetadata(new TakesIfMatch())
        .ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status412PreconditionFailed);

    private static RouteHandlerBuilder Describe<T>(RouteHandlerBuilder route, int good) => route.WithTags(Tag)
        .AddOpenApiOperationTransformer(ApiBody.DescribeAsync<T>).Produces<UserChangedDto>(good)
        .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task<IResult> CreateAsync(HttpContext context, Accounts accounts)
    {
        (UserBody? body, IResult? problem) = await ApiBody.ReadAsync<UserBody>(context);
        if (body is null)
        {
            return problem!;
        }

        AccountResult made = await accounts.CreateAsync(body.Name, body.Roles, null, onlyAsFirst: false, RequestActor.Of(context), context.RequestAborted);
        return made.Succeeded ? await ChangedAsync(context, accounts, body.Name, made.Secret, StatusCodes.Status201Created) : Refused(made);
    }

    private static async Task<IResult> ResetAsync(string user, HttpContext context, Accounts accounts) =>
        await ChangeAsync<UserResetBody>(context, accounts, user, "user-password-reset", (account, body, actor) => body switch
        {
            { Password: true } => accounts.ResetPasswordAsync(account, body.SecondFactor, actor, context.RequestAborted),
            { SecondFactor: true } => accounts.ResetSecondFactorAsync(account, actor, context.RequestAborted),
            _ => accounts.RefuseAsync("user-password-reset", user, "Name what to reset: password, secondFactor, or both.", actor, context.RequestAborted),
        });

    private static async Task<IResult> RemoveAsync(string user, HttpContext context, Accounts accounts)
    {
        if (RevisionTag.TryRead(context.Request.Headers.IfMatch, out long? seen) is { } wrong)
        {
            return BadCondition(wrong);
        }

        Actor actor = RequestActor.Of(context);
        if (await accounts.FindAsync(user, context.RequestAborted) is not { } account)
        {
            return await NoSuchAsync(accounts, "user-removed", user, actor, context.RequestAborted);
        }

        AccountResult removed = await accounts.RemoveAsync(account with { Seen = seen }, actor, context.RequestAborted);
        return removed.Succeeded ? TypedResults.NoContent() : Refused(removed);
    }

    private static async Task<IResult> ChangeAsync<T>(HttpContext context, Accounts accounts, string user, string action, Func<AccountView, T, Actor, Task<AccountResult>> change)
        where T : class
    {
        if (RevisionTag.TryRead(context.Request.Headers.IfMatch, out long? seen) is { } wrong)
        {
            return BadCondition(wrong);
        }

        (T? body, IResult? problem) = await ApiBody.ReadAsync<T>(context);
        if (body is null)
        {
            return problem!;
        }

        Actor actor = RequestActor.Of(context);
        if (await accounts.FindAsync(user, context.RequestAborted) is not { } account)
        {
            return await NoSuchAsync(accounts, action, user, actor, context.RequestAborted);
        }

        AccountResult changed = await change(account with { Seen = seen }, body, actor);
        return changed.Succeeded ? await ChangedAsync(context, accounts, account.Name, changed.Secret, StatusCodes.Status200OK) : Refused(changed);
    }

    private static async Task<IResult> ChangedAsync(HttpContext context, Accounts accounts, string name, string? secret, int status) =>
        await accounts.FindAsync(name, context.RequestAborted) is { } now
            ? Tagged(context, now, TypedResults.Json(new UserChangedDto { User = now.ToDto(), TemporaryPassword = secret }, statusCode: status))
            : ApiProblems.NotFound($"The account '{name}' was removed meanwhile.");

    private static async Task<IResult> NoSuchAsync(Accounts accounts, string action, string user, Actor actor, CancellationToken stop) =>
        await accounts.RefuseAsync(action, user, "There is no such account.", actor, stop) is { NotWritten: true } unwritten ? Refused(unwritten) : NoSuch(user);

    private static ProblemHttpResult NoSuch(string user) => ApiProblems.NotFound($"No account has the name '{user}'.");

    private static IResult Tagged(HttpContext context, AccountView account, IResult answer)
    {
        context.Response.Headers.ETag = RevisionTag.Of(account.Revision);
        return answer;
    }

    private static ProblemHttpResult BadCondition(string wrong) => ApiProblems.Malformed(StatusCodes.Status400BadRequest, new Dictionary<string, string> { ["If-Match"] = wrong });

    private static ProblemHttpResult Refused(AccountResult result) => result switch
    {
        { NotWritten: true } => ApiBody.Unavailable(result.Problem!),
        { Stale: true } => TypedResults.Problem(result.Problem, statusCode: StatusCodes.Status412PreconditionFailed, title: "Changed meanwhile"),
        _ => TypedResults.Problem(result.Problem, statusCode: StatusCodes.Status409Conflict, title: "Refused"),
    };
}
