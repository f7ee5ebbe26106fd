/** Follows, friendships and blocks over HTTP (SPEC 3). */
import { Done, done, UserIdParam, UserParam } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import { blockUser, unblockUser } from "./blocks.ts";
import {
  AskFriend,
  BlockState,
  FollowerList,
  FollowingList,
  FollowState,
  Friend,
  FriendList,
  FriendQuery,
  PageQuery,
} from "./contract.ts";
import { followUser, listFollowers, listFollowing, unfollowUser } from "./follows.ts";
import { acceptFriend, askFriend, endFriendship, listFriends } from "./friends.ts";

export const socialRoutes = router()
  .openapi(
    route("post", "/users/{id}/follow", {
      who: "user",
      summary: "Follow",
      params: UserParam,
      answers: { 200: FollowState },
    }),
    async (c) => c.json(await followUser(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("delete", "/users/{id}/follow", {
      who: "user",
      summary: "Unfollow",
      params: UserParam,
      answers: { 200: FollowState },
    }),
    async (c) => c.json(await unfollowUser(c.var.ctx, c.req.valid("param").id), 200),
  )
  .openapi(
    route("get", "/users/{id}/followers", {
      who: "anyone",
      summary: "Who follows somebody",
      params: UserParam,
      query: PageQuery,
      answers: { 200: FollowerList },
    }),
    async (c) => c.json(await listFollowers(c.var.ctx, c.req.valid("param").id, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/users/{id}/following", {
      who: "anyone",
      summary: "Whom somebody follows",
      params: UserParam,
      query: PageQuery,
      answers: { 200: FollowingList },
    }),
    async (c) => c.json(await listFollowing(c.var.ctx, c.req.valid("param").id, c.req.valid("query")), 200),
  )
  .openapi(
    route("get", "/friends", {
      who: "user",
      summary: "My friends, requests, or whom I blocked",
      query: FriendQuery,
      answers: { 200: FriendList },
    }),
    async (c) => c.json(await listFriends(c.var.ctx, c.req.valid("query")), 200),
  )
  .openapi(
    route("post", "/friends", {
      who: "user",
      summary: "Ask to be friends",
      description: "201 for a new request; 200 with what is, if there is one already. Asking who has asked me accepts.",
      body: AskFriend,
      answers: { 200: Friend, 201: Friend },
    }),
    async (c) => {
      const { friend, isNew } = await askFriend(c.var.ctx, c.req.valid("json"));
      return isNew ? c.json(friend, 201) : c.json(friend, 200);
    },
  )
  .openapi(
    route("post", "/friends/{userId}/accept", {
      who: "user",
      summary: "Accept a request",
      params: UserIdParam,
      answers: { 200: Friend },
    }),
    async (c) => c.json(await acceptFriend(c.var.ctx, c.req.valid("param").userId), 200),
  )
  .openapi(
    route("delete", "/friends/{userId}", {
      who: "user",
      summary: "End a friendship, decline a request or take one back",
      params: UserIdParam,
      answers: { 200: Done },
    }),
    async (c) => {
      await endFriendship(c.var.ctx, c.req.valid("param").userId);
      return c.json(done("Not friends"), 200);
    },
  )
  .openapi(
    route("post", "/friends/{userId}/block", {
      who: "user",
      summary: "Block",
      description: "Ends a friendship and the follows between the two.",
      params: UserIdParam,
      answers: { 200: BlockState },
    }),
    async (c) => c.json(await blockUser(c.var.ctx, c.req.valid("param").userId), 200),
  )
  .openapi(
    route("delete", "/friends/{userId}/block", {
      who: "user",
      summary: "Unblock",
      params: UserIdParam,
      answers: { 200: BlockState },
    }),
    async (c) => c.json(await unblockUser(c.var.ctx, c.req.valid("param").userId), 200),
  );
