using System.Collections.Immutable;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace FailoverHub.Web.Tests.Access;

/// <summary>
/// A real OpenID Connect provider on loopback: OpenIddict, which nobody of this project wrote. It knows one person and asks him nothing; client, secret,
/// redirect address and PKCE are its own business, as they are in the field.
/// </summary>
internal sealed class Provider : IAsyncDisposable
{
    public const string ClientId = "failoverhub";
    public const string Secret = "a-client-secret";

    /// <summary>One for all tests: making a key takes longer than they do.</summary>
    private static readonly RsaSecurityKey Key = new(RSA.Create(2048)) { KeyId = "tests" };

    private readonly WebApplication _app;

    private Provider(WebApplication app) => _app = app;

    public Uri Authority { get; private set; } = null!;

    /// <summary>What the person's claims are at the next sign-in.</summary>
    public string Subject { get; set; } = "anna-1";

    public string? Name { get; set; } = "anna";

    public ImmutableArray<string> Groups { get; set; } = ["noc"];

    public static async Task<Provider> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddAuthentication();
        Provider? self = null;
        builder.Services.AddOpenIddict().AddServer(server =>
        {
            server.SetAuthorizationEndpointUris("connect/authorize").SetTokenEndpointUris("connect/token");
            server.AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange();
            server.RegisterScopes("profile", "email");
            server.AddEncryptionKey(Key).AddSigningKey(Key);
            server.EnableDegradedMode();
            server.UseAspNetCore().DisableTransportSecurityRequirement();
            server.AddEventHandler<ValidateAuthorizationRequestContext>(handler => handler.UseInlineHandler(context =>
            {
                if (context.ClientId != ClientId)
                {
                    context.Reject(OpenIddictConstants.Errors.InvalidClient, "There is no such client.");
                }

                return default;
            }));
            server.AddEventHandler<ValidateTokenRequestContext>(handler => handler.UseInlineHandler(context =>
            {
                if (context.ClientId != ClientId || context.ClientSecret != Secret)
                {
                    context.Reject(OpenIddictConstants.Errors.InvalidClient, "The client's secret is wrong.");
                }

                return default;
            }));
            server.AddEventHandler<HandleAuthorizationRequestContext>(handler => handler.UseInlineHandler(context =>
            {
                context.SignIn(self!.Person().SetScopes(context.Request.GetScopes()));
                return default;
            }));
        });
        WebApplication app = builder.Build();
        app.UseAuthentication();
        self = new Provider(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        self.Authority = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return self;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private ClaimsPrincipal Person()
    {
        var identity = new ClaimsIdentity("provider");
        identity.SetClaim(OpenIddictConstants.Claims.Subject, Subject);
        identity.SetClaim(OpenIddictConstants.Claims.PreferredUsername, Name);
        identity.SetClaims("groups", Groups);
        identity.SetDestinations(_ => [OpenIddictConstants.Destinations.IdentityToken]);
        return new ClaimsPrincipal(identity);
    }
}
